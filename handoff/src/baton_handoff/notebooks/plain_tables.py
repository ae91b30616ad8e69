"""Values of a notebook as plain tables: compared, digested and stored alike for every engine."""

import datetime as dt
import hashlib
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

TOLERANCE = 1e-9
"""The relative difference of two numbers up to which they count as equal."""

_SCALARS = (str, bytes, bool, numbers.Number, dt.date, dt.time, dt.timedelta, type(None))
_MICROSECONDS = pa.timestamp("us")


@dataclass(frozen=True)
class TableDifference:
    """The first place where two tables differ.

    Attributes:
        column: The column, empty if the tables have different numbers of rows.
        row: The position of the row, from 0; None if one table lacks the column or the row.
        before: The value or the number of rows of the one table, None if it lacks the column.
        after: The same of the other table.
    """

    column: str
    row: int | None
    before: Any
    after: Any


def is_plain(value: object) -> bool:
    """Whether a value consists of nothing but numbers, texts, times, and collections of these."""
    match value:
        case dict():
            return all(is_plain(one) for pair in value.items() for one in pair)
        case list() | tuple() | set() | frozenset():
            return all(map(is_plain, value))
    return isinstance(value, _SCALARS)


def as_table(value: object) -> pa.Table | None:
    """A table of any engine, an array or a plain value as a table of few types.

    Differences that only the engine makes are removed: NaN is missing, categories are texts, times
    are in microseconds, an index that counts the rows is left out, any other is a column.

    Returns:
        The table, None for another kind of value.
    """
    columns = _columns(value)
    if columns is None:
        return None
    names: list[str] = []
    for name in columns:
        names.append(name if name not in names else f"{name}.{len(names)}")
    return pa.table([_normal(values) for values in columns.values()], names=names)


def digest(table: pa.Table) -> str:
    """A hash of the content of a table, in the order of its rows."""
    hashed = hashlib.sha256(repr([(one.name, str(one.type)) for one in table.schema]).encode())
    if table.num_columns:
        rows = pd.util.hash_pandas_object(table.to_pandas(), index=False)
        hashed.update(rows.to_numpy().tobytes())
    return hashed.hexdigest()


def in_one_order(table: pa.Table) -> pa.Table:
    """The rows in the order of all columns; fractions last, because they may differ a little."""
    fields = [one for one in table.schema if not pa.types.is_null(one.type)]
    fields.sort(key=lambda one: pa.types.is_floating(one.type))
    return table.sort_by([(one.name, "ascending") for one in fields]) if fields else table


def first_difference(before: pa.Table, after: pa.Table) -> TableDifference | None:
    """The first column, and the first row in it, in which two tables of `as_table` differ."""
    for name in dict.fromkeys([*before.column_names, *after.column_names]):
        have = [name in table.column_names for table in (before, after)]
        if not all(have):
            return TableDifference(name, None, *("" if one else None for one in have))
    length = min(before.num_rows, after.num_rows)
    for name in before.column_names:
        one, other = before[name].slice(0, length), after[name].slice(0, length)
        if (row := _first_row(one, other)) is not None:
            return TableDifference(name, row, one[row].as_py(), other[row].as_py())
    if before.num_rows != after.num_rows:
        return TableDifference("", None, before.num_rows, after.num_rows)
    return None


def _columns(value: object) -> dict[str, Any] | None:  # noqa: PLR0911 - one `case` a kind
    """The columns of a value, None for an unknown kind; equal names are told apart later."""
    match value:
        case pd.DataFrame():
            table = value if _counts_rows(value.index) else _with_index(value)
            names = _distinct([str(name) for name in table.columns])
            return {name: table.iloc[:, number] for number, name in enumerate(names)}
        case pd.Series():
            return _columns(value.to_frame(value.name if value.name is not None else "value"))
        case pd.Index():
            return {"value": value.to_series()}
        case np.ndarray():
            flat = value.reshape(len(value), -1) if value.ndim > 1 else np.atleast_1d(value)
            if flat.ndim == 1:
                return {"value": pd.Series(flat)}
            return {str(number): pd.Series(column) for number, column in enumerate(flat.T)}
    if type(value).__module__.partition(".")[0] == "polars":
        return _polars_columns(value)
    return _plain_columns(value) if is_plain(value) else None


def _distinct(names: Sequence[str]) -> list[str]:
    return [f"{name}.{n}" if name in names[:n] else name for n, name in enumerate(names)]


def _counts_rows(index: "pd.Index[Any]") -> bool:
    return isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1)


def _with_index(table: pd.DataFrame) -> pd.DataFrame:
    taken = {str(name) for name in table.columns}
    names = [
        f"index {number}" if name is None or str(name) in taken else str(name)
        for number, name in enumerate(table.index.names)
    ]
    return table.rename_axis(index=names).reset_index()


def _polars_columns(value: Any) -> dict[str, Any] | None:
    kind = type(value).__name__
    if kind == "LazyFrame":
        value, kind = value.collect(), "DataFrame"
    if kind == "Series":
        value, kind = value.to_frame(value.name or "value"), "DataFrame"
    return dict(zip(value.columns, value.to_arrow(), strict=True)) if kind == "DataFrame" else None


def _plain_columns(value: Any) -> dict[str, Any]:
    match value:
        case dict():
            return {"key": _objects(value), "value": _objects(value.values())}
        case list() | tuple():
            return {"value": _objects(value)}
        case set() | frozenset():
            return {"value": _objects(sorted(value, key=repr))}
    return {"value": _objects([value])}


def _objects(values: Any) -> "pd.Series[Any]":
    flat = [repr(one) if isinstance(one, list | tuple | dict | set) else one for one in values]
    return pd.Series(flat, dtype=object)


def _normal(values: Any) -> pa.Array:  # noqa: PLR0911, PLR0912 - one branch a type
    array = values
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        try:
            array = pa.array(values, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            array = pa.array([None if one is None else str(one) for one in values], pa.string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_floating(kind):
        array = array.cast(pa.float64())
        return pc.if_else(pc.is_nan(array), None, array)
    if pa.types.is_decimal(kind):
        return array.cast(pa.float64())
    if pa.types.is_uint64(kind):
        return array.cast(pa.float64(), safe=False)
    if pa.types.is_integer(kind):
        return array.cast(pa.int64())
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and not kind.tz):
        return array.cast(_MICROSECONDS, safe=False)
    if pa.types.is_timestamp(kind):
        return array.cast(pa.timestamp("us", "UTC"), safe=False)
    if pa.types.is_duration(kind):
        return array.cast(pa.duration("us"), safe=False).cast(pa.int64())
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return array
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.string())
    return pa.array([None if one is None else str(one) for one in array.to_pylist()], pa.string())


def _first_row(one: pa.ChunkedArray, other: pa.ChunkedArray) -> int | None:
    """The first position at which two columns differ; a missing value equals a missing value."""
    kinds = one.type, other.type
    if pa.types.is_null(kinds[0]) or pa.types.is_null(kinds[1]) or one.equals(other):
        differ = pc.xor(one.is_null(), other.is_null())
        return _position(differ)
    if _is_number(kinds[0]) and _is_number(kinds[1]):
        return _position(_numbers_differ(one, other))
    if kinds[0] != kinds[1]:
        if not (pa.types.is_timestamp(kinds[0]) and pa.types.is_timestamp(kinds[1])):
            return 0 if len(one) else None
        one, other = (pc.cast(column, _MICROSECONDS) for column in (one, other))
    unequal = pc.fill_null(pc.not_equal(one, other), False)
    return _position(pc.or_(unequal, pc.xor(one.is_null(), other.is_null())))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _numbers_differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Any:
    missing = pc.xor(one.is_null(), other.is_null())
    if pa.types.is_integer(one.type) and pa.types.is_integer(other.type):
        return pc.or_(pc.fill_null(pc.not_equal(one, other), False), missing)
    first, second = (column.cast(pa.float64(), safe=False).to_numpy() for column in (one, other))
    close = np.isclose(first, second, rtol=TOLERANCE, atol=0.0, equal_nan=True)
    return pc.or_(pa.chunked_array([pa.array(~close)]), missing)


def _position(differ: Any) -> int | None:
    place = pc.index(differ, True).as_py()
    return None if place < 0 else place


def to_json(table: pa.Table) -> dict[str, dict[str, Any]]:
    """The columns of a table of `as_table` in values that JSON has, with their types."""
    return {
        name: {"type": str(table[name].type), "values": [_json(v) for v in table[name].to_pylist()]}
        for name in table.column_names
    }


def from_json(columns: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """The table of `to_json`."""
    return pa.table({name: _array(one["type"], one["values"]) for name, one in columns.items()})


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _array(kind: str, values: Sequence[Any]) -> pa.Array:
    if not kind.startswith("timestamp"):
        named = {"double": pa.float64(), "null": pa.null()}
        return pa.array(values, named.get(kind) or pa.type_for_alias(kind))
    zone = "UTC" if "tz=" in kind else None
    times = [None if one is None else dt.datetime.fromisoformat(one) for one in values]
    return pa.array(times, pa.timestamp("us", zone))
