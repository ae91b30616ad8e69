"""One small contract, stated for each engine, and rows that it accepts."""

from datetime import UTC, datetime
from typing import Annotated, Any

import pandas as pd
import pandera.pandas
import pandera.polars
import polars as pl


class PandasTrip(pandera.pandas.DataFrameModel):
    """A contract with a column of every type that an API carries."""

    town: str = pandera.pandas.Field(isin=["Ulm", "Bonn"])
    code: str = pandera.pandas.Field(nullable=True, str_matches="^[A-Z]+$")
    seats: int = pandera.pandas.Field(ge=1, le=9)
    price: float = pandera.pandas.Field(nullable=True, gt=0)
    direct: bool
    at: Annotated[pd.DatetimeTZDtype, "us", "UTC"] = pandera.pandas.Field(nullable=True)

    @pandera.pandas.dataframe_check(error="direct trips have few seats")
    def few_seats(cls, table: pd.DataFrame) -> "pd.Series[bool]":
        return ~table["direct"] | (table["seats"] < 5)

    class Config:
        strict = True
        unique = ["town", "seats"]
        metadata = {"version": "1.0.0", "position": "input"}


class PolarsTrip(pandera.polars.DataFrameModel):
    """The same for the other engine."""

    town: str = pandera.polars.Field(isin=["Ulm", "Bonn"])
    code: str = pandera.polars.Field(nullable=True, str_matches="^[A-Z]+$")
    seats: int = pandera.polars.Field(ge=1, le=9)
    price: float = pandera.polars.Field(nullable=True, gt=0)
    direct: bool
    at: Annotated[pl.Datetime, "us", "UTC"] = pandera.polars.Field(nullable=True)

    @pandera.polars.dataframe_check(error="direct trips have few seats")
    def few_seats(cls, table: pandera.polars.PolarsData) -> pl.LazyFrame:
        return table.lazyframe.select(~pl.col("direct") | (pl.col("seats") < 5))

    class Config:
        strict = True
        unique = ["town", "seats"]
        metadata = {"version": "1.0.0", "position": "input"}


Row = dict[str, Any]

AT = datetime(2013, 1, 1, 12, 30, 0, 1, tzinfo=UTC)
ROWS: list[Row] = [
    {"town": "Ulm", "code": "A", "seats": 1, "price": 1.5, "direct": True, "at": AT},
    {"town": "Bonn", "code": None, "seats": 9, "price": None, "direct": False, "at": None},
    {"town": "Ulm", "code": "C", "seats": 3, "price": 2.0, "direct": False, "at": AT},
]
