"""The dataframe engine of this project, polars: contracts and borders name their tables with it."""

from typing import Annotated, Final, TypeAlias, TypeVar

import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.polars import DataFrameModel, Field, dataframe_check
from pandera.typing.polars import DataFrame

_Contract = TypeVar("_Contract", bound=DataFrameModel)

BACKEND: Final = "polars"

Utc: TypeAlias = Annotated[pl.Datetime, "us", "UTC"]
"""A moment: a timestamp in UTC, to the microsecond."""

Checked: TypeAlias = PolarsData
"""What a rule about whole rows is given."""

Verdict: TypeAlias = pl.LazyFrame
"""What such a rule returns: whether each row meets it."""


def columns(table: Checked) -> pl.DataFrame:
    """The columns of a table, to state a rule about whole rows with."""
    return table.lazyframe.collect()


def unknown(column: pl.Series) -> pl.Series:
    """Whether each row lacks a value there."""
    return column.is_null()


def verdict(rule: pl.Series) -> Verdict:
    """What such a rule says of each row, as the engine wants it."""
    return rule.to_frame().lazy()


def validated(table: object, contract: type[_Contract]) -> DataFrame[_Contract]:
    """The table itself, once its contract has accepted it.

    Raises:
        pandera.errors.SchemaError: The contract refuses it.
    """
    accepted: DataFrame[_Contract] = contract.validate(table)  # type: ignore[call-overload]
    return accepted


__all__ = [
    "BACKEND",
    "Checked",
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
