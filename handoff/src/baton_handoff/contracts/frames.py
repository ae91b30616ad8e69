"""Tables of either engine: from rows, to rows, and from one engine to the other."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from baton_handoff.contracts.canonical import Contract, Engine, column_type, engine_of

if TYPE_CHECKING:
    import polars as pl

    Frame: TypeAlias = pd.DataFrame | pl.DataFrame
else:
    Frame: TypeAlias = Any

ARROW = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "timestamp[UTC]": pa.timestamp("us", "UTC"),
}
"""The Arrow type of each of a contract's types."""


def from_rows(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
    """Return a table in the contract's engine and types from rows of plain values.

    Timestamps may be text. A column of nulls gets the contract's type too; nothing is validated.
    """
    data, types = {}, {}
    for name, column in contract.to_schema().columns.items():
        values = [row.get(name) for row in rows]
        is_time = column_type(column.dtype).startswith("timestamp")
        data[name] = list(map(_timestamp, values)) if is_time else values
        types[name] = column.dtype.type
    if engine_of(contract) == "polars":
        import polars as pl

        return pl.DataFrame(data, schema=types)
    return pd.DataFrame({name: _pandas_array(data[name], types[name]) for name in data})


def from_json(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
    """Return a table from rows as JSON has them; each column has the type of its values.

    40.0 is an integer there and a timestamp is a text. Nothing else is converted, so that the
    contract can refuse values of another type.

    Args:
        contract: The contract, for the engine and the types of the columns.
        rows: At least one; all with the same columns.
    """
    # Not from the canonical form: making it takes longer than a prediction.
    columns = contract.to_schema().columns
    types = {name: column_type(column.dtype) for name, column in columns.items()}
    arrays = {
        name: _array([row[name] for row in rows], types.get(name, "integer")) for name in rows[0]
    }
    table = nw.from_arrow(pa.table(arrays), backend=engine_of(contract))
    native: Frame = table.to_native()
    return native


def to_engine(table: Frame, engine: Engine) -> Frame:
    """Return the same table in an engine; a missing value becomes that engine's own."""
    if isinstance(table, pd.DataFrame) == (engine == "pandas"):
        return table
    if engine == "pandas":
        return nw.from_native(table, eager_only=True).to_pandas()
    import polars as pl

    return pl.DataFrame(pa.Table.from_pandas(table, preserve_index=False))


def to_rows(table: Frame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values, None for a missing one."""
    return plain_rows({name: table[name].to_list() for name in table.columns})


def plain_rows(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return rows of columns, with None for each missing value."""
    known = [[None if is_missing(value) else value for value in of] for of in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*known, strict=True)]


def is_number(value: Any) -> bool:
    """Whether a value is a number in JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _timestamp(value: Any) -> Any:
    """Return a timestamp, or a text that is one, in UTC; any other value as it is."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def is_missing(value: Any) -> bool:
    """Whether a value is missing: None, NaN or pandas's NaT."""
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _pandas_array(values: list[Any], dtype: Any) -> Any:
    """Return the column's values; faster than `pd.Series`, which looks at the values first."""
    return np.array(values, dtype) if isinstance(dtype, np.dtype) else pd.array(values, dtype)


def _array(values: Sequence[Any], kind: str) -> pa.Array:
    if all(value is None for value in values):
        return pa.nulls(len(values), ARROW[kind])
    try:
        return pa.array([_from_json(value, kind) for value in values])
    except (OverflowError, ValueError, pa.ArrowException):
        return pa.array([date.min] * len(values))  # a type that no contract accepts: no API has it


def _from_json(value: Any, kind: str) -> Any:
    """Convert a value to the type of its column where JSON has no such type."""
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "number" and is_number(value):
        return float(value)
    if kind == "timestamp[UTC]" and isinstance(value, str):
        with suppress(ValueError):
            timestamp = _timestamp(value)
            return timestamp if timestamp.tzinfo else value
    return value
