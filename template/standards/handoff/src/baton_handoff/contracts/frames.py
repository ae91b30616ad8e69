"""Tables of either engine: from rows, to rows, and from one engine to the other."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import narwhals as nw
import pandas as pd
import pyarrow as pa

from baton_handoff.contracts.canonical import Contract

if TYPE_CHECKING:
    import polars as pl

    Frame: TypeAlias = pd.DataFrame | pl.DataFrame
else:
    Frame: TypeAlias = Any

Engine: TypeAlias = Literal["pandas", "polars"]

ARROW = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "timestamp[UTC]": pa.timestamp("us", "UTC"),
}
"""The Arrow type of each of a contract's types."""


def engine_of(contract: Contract) -> Engine:
    """The engine that a contract is stated for."""
    return "polars" if issubclass(contract, _polars_model()) else "pandas"


def from_rows(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
    """A table in the contract's engine and types from rows of plain values.

    A column that holds only nulls gets the contract's type too; nothing is checked here.
    """
    columns = contract.to_schema().columns
    data = {name: [_in_utc(row.get(name)) for row in rows] for name in columns}
    if engine_of(contract) == "polars":
        import polars as pl

        return pl.DataFrame(data, schema={name: c.dtype.type for name, c in columns.items()})
    return pd.DataFrame(
        {name: pd.Series(data[name], dtype=c.dtype.type) for name, c in columns.items()}
    )


def to_engine(table: Frame, engine: Engine) -> Frame:
    """The same table in an engine; a missing value becomes that engine's own."""
    if engine == "pandas":
        return nw.from_native(table, eager_only=True).to_pandas()
    if isinstance(table, pd.DataFrame):
        import polars as pl

        return pl.DataFrame(pa.Table.from_pandas(table, preserve_index=False))
    return table


def to_rows(table: Frame) -> list[dict[str, Any]]:
    """The rows of a table as plain values, None where nothing is known."""
    rows = nw.from_native(table, eager_only=True).rows(named=True)
    return [
        {name: None if _missing(value) else value for name, value in row.items()} for row in rows
    ]


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _polars_model() -> type:
    """The base class of contracts for polars; an unrelated one where polars is not installed."""
    try:
        from pandera.polars import DataFrameModel
    except ImportError:
        return _NoPolars
    return DataFrameModel


class _NoPolars:
    """What no contract is derived from."""
