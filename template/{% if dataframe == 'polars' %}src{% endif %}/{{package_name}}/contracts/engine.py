"""The dataframe engine of this project, polars: contracts and borders name their tables with it."""

from typing import Annotated, Final, TypeAlias

import narwhals as nw
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.polars import DataFrameModel, Field, dataframe_check
from pandera.typing.polars import DataFrame

BACKEND: Final = "polars"

Utc: TypeAlias = Annotated[pl.Datetime, "us", "UTC"]
"""A moment: a timestamp in UTC, to the microsecond."""

Checked: TypeAlias = PolarsData
"""What a rule about whole rows is given."""

Verdict: TypeAlias = pl.LazyFrame
"""What such a rule returns: whether each row meets it."""


def holds(table: Checked, rule: nw.Expr) -> Verdict:
    """Whether each row of `table` meets `rule`."""
    return nw.from_native(table.lazyframe).select(rule=rule).to_native()


__all__ = [
    "BACKEND",
    "Checked",
    "DataFrame",
    "DataFrameModel",
    "Field",
    "Utc",
    "Verdict",
    "dataframe_check",
    "holds",
]
