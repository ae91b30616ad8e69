"""The dataframe engine of this project, polars: contracts and interfaces use these types."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final, TypeAlias, TypeVar

import numpy as np
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.polars import DataFrameModel, Field, dataframe_check
from pandera.typing.polars import DataFrame

_Contract = TypeVar("_Contract", bound=DataFrameModel)

BACKEND: Final = "polars"

Utc: TypeAlias = Annotated[pl.Datetime, "us", "UTC"]
"""A timestamp in UTC, in microseconds."""

Checked: TypeAlias = PolarsData
"""The argument of a rule about whole rows."""

Verdict: TypeAlias = pl.LazyFrame
"""The result of such a rule: True for each row that meets it."""


Columns: TypeAlias = Mapping[str, np.ndarray]
"""A table as arrays by column, without the engine: for a few rows, making a table takes longest."""

Check: TypeAlias = Callable[[type[DataFrameModel], Columns], Columns]
"""Returns columns that meet a contract."""


def columns(table: Checked) -> pl.DataFrame:
    """The columns of a table, for a rule about whole rows."""
    return table.lazyframe.collect()


def unknown(column: pl.Series) -> pl.Series:
    """True for each row without a value in the column."""
    return column.is_null()


def verdict(rule: pl.Series) -> Verdict:
    """The result of such a rule, in the form that the engine expects."""
    return rule.to_frame().lazy()


def validated(table: object, contract: type[_Contract]) -> DataFrame[_Contract]:
    """Validate a table and return it.

    Raises:
        pandera.errors.SchemaError: The contract refuses it.
    """
    accepted: DataFrame[_Contract] = contract.validate(table)  # type: ignore[call-overload]
    return accepted


__all__ = [
    "BACKEND",
    "Check",
    "Checked",
    "Columns",
    "DataFrame",
    "DataFrameModel",
    "Field",
    "Utc",
    "Verdict",
    "columns",
    "dataframe_check",
    "unknown",
    "validated",
    "verdict",
]
