"""Tables of either engine: from rows, to rows, and from one engine to the other."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from baton_handoff.contracts.canonical import Contract, column_type

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
    types = {name: column.dtype.type for name, column in columns.items()}
    return pd.DataFrame({name: _pandas_array(data[name], types[name]) for name in columns})


def from_json(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
    """A table from rows as JSON has them; each column has the type of its values.

    40.0 is a whole number there and a moment is a text. Nothing else is converted, so that the
    contract can refuse what is of another type.

    Args:
        contract: The contract that says which columns hold moments, and which engine it is for.
        rows: At least one; all with the same columns.
    """
    # Not the canonical form: it is made from source code, which takes longer than predicting.
    columns = contract.to_schema().columns
    types = {name: column_type(column.dtype) for name, column in columns.items()}
    arrays = {
        name: _array([row[name] for row in rows], types.get(name, "integer")) for name in rows[0]
    }
    table = nw.from_arrow(pa.table(arrays), backend=engine_of(contract))
    native: Frame = table.to_native()
    return native


def to_engine(table: Frame, engine: Engine) -> Frame:
    """The same table in an engine; a missing value becomes that engine's own."""
    if isinstance(table, pd.DataFrame) == (engine == "pandas"):
        return table
    if engine == "pandas":
        return nw.from_native(table, eager_only=True).to_pandas()
    import polars as pl

    return pl.DataFrame(pa.Table.from_pandas(table, preserve_index=False))


def to_rows(table: Frame) -> list[dict[str, Any]]:
    """The rows of a table as plain values, None where nothing is known."""
    columns = {
        name: [None if _missing(value) else value for value in table[name].to_list()]
        for name in table.columns
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _pandas_array(values: list[Any], dtype: Any) -> Any:
    """The quickest way to a column of one type; `pd.Series` looks at the values first."""
    return np.array(values, dtype) if isinstance(dtype, np.dtype) else pd.array(values, dtype)


def is_number(value: Any) -> bool:
    """Whether a value is what JSON calls a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _array(values: Sequence[Any], kind: str) -> pa.Array:
    if all(value is None for value in values):
        return pa.nulls(len(values), ARROW[kind])
    try:
        return pa.array([_in_json(value, kind) for value in values])
    except (OverflowError, ValueError, pa.ArrowException):
        return pa.array([date.min] * len(values))  # what no column holds: no API has dates


def _in_json(value: Any, kind: str) -> Any:
    """A value of JSON as what it means in a column: it has one kind of number, and no moments."""
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "number" and is_number(value):
        return float(value)
    if kind == "timestamp[UTC]" and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return moment.astimezone(UTC) if moment.tzinfo else value
    return value


def _polars_model() -> type:
    """The base class of contracts for polars; an unrelated one where polars is not installed."""
    try:
        from pandera.polars import DataFrameModel
    except ImportError:
        return _NoPolars
    return DataFrameModel


class _NoPolars:
    """What no contract is derived from."""
