"""The dataframe engine of this project, pandas: contracts and borders name their tables with it."""

from typing import Annotated, Any, Final, TypeAlias, TypeVar

import pandas as pd
from pandera.pandas import DataFrameModel, Field, dataframe_check
from pandera.typing.pandas import DataFrame

_Contract = TypeVar("_Contract", bound=DataFrameModel)

BACKEND: Final = "pandas"

Utc: TypeAlias = Annotated[pd.DatetimeTZDtype, "us", "UTC"]
"""A moment: a timestamp in UTC, to the microsecond."""

Checked: TypeAlias = pd.DataFrame
"""What a rule about whole rows is given."""

Verdict: TypeAlias = "pd.Series[bool]"
"""What such a rule returns: whether each row meets it."""


def columns(table: Checked) -> pd.DataFrame:
    """The columns of a table, to state a rule about whole rows with."""
    return table


def unknown(column: "pd.Series[Any]") -> Verdict:
    """Whether each row lacks a value there."""
    return column.isna()


def verdict(rule: Verdict) -> Verdict:
    """What such a rule says of each row, as the engine wants it."""
    return rule


def validated(table: object, contract: type[_Contract]) -> DataFrame[_Contract]:
    """The table itself, once its contract has accepted it.

    Raises:
        pandera.errors.SchemaError: The contract refuses it.
    """
    accepted: DataFrame[_Contract] = contract.validate(table)  # type: ignore[arg-type]
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
