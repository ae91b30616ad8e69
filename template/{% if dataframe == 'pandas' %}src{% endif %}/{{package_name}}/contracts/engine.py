"""The dataframe engine of this project, pandas: contracts and interfaces use these types."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from pandera.pandas import DataFrameModel, Field, dataframe_check
from pandera.typing.pandas import DataFrame

_Contract = TypeVar("_Contract", bound=DataFrameModel)

BACKEND: Final = "pandas"

Utc: TypeAlias = Annotated[pd.DatetimeTZDtype, "us", "UTC"]
"""A timestamp in UTC, in microseconds."""

Checked: TypeAlias = pd.DataFrame
"""The argument of a rule about whole rows."""

Verdict: TypeAlias = "pd.Series[bool]"
"""The result of such a rule: True for each row that meets it."""


Columns: TypeAlias = Mapping[str, np.ndarray]
"""A table as arrays by column, without the engine: for a few rows, making a table takes longest."""

Check: TypeAlias = Callable[[type[DataFrameModel], Columns], Columns]
"""Returns columns that meet a contract."""


def columns(table: Checked) -> pd.DataFrame:
    """The columns of a table, for a rule about whole rows."""
    return table


def unknown(column: "pd.Series[Any]") -> Verdict:
    """True for each row without a value in the column."""
    return column.isna()


def verdict(rule: Verdict) -> Verdict:
    """The result of such a rule, in the form that the engine expects."""
    return rule


def validated(table: object, contract: type[_Contract]) -> DataFrame[_Contract]:
    """Validate a table and return it.

    Raises:
        pandera.errors.SchemaError: The contract refuses it.
    """
    accepted: DataFrame[_Contract] = contract.validate(table)  # type: ignore[arg-type]
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
