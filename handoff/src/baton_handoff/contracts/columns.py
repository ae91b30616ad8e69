"""Columns: a table as arrays of numpy by name, without an engine.

To make a table of pandas or polars for a few rows takes longer than to predict for them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from baton_handoff.contracts.canonical import Engine
from baton_handoff.contracts.frames import ARROW, Frame, plain_rows

Columns: TypeAlias = Mapping[str, np.ndarray]
"""The values by column, in the order of the rows. Numbers are float64, NaN where they are missing;
integers int64, but as numbers if some are missing; booleans bool; texts objects, None where they
are missing; timestamps datetime64[us] in UTC, NaT where they are missing."""

PLAIN: dict[str, str] = {
    "integer": "int64",
    "number": "float64",
    "boolean": "bool",
    "string": "object",
    "timestamp[UTC]": "datetime64[us]",
}
"""The type of an array for each of a contract's types."""


def columns_of_rows(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> Columns:
    """Return the columns of rows of plain values, given the contract's type of each; times in UTC.

    Raises:
        ValueError: A value has another type, or a boolean is missing.
    """
    return {name: _array([row[name] for row in rows], kind) for name, kind in types.items()}


def columns_of_table(table: Frame, types: Mapping[str, str], *, distinct: bool = False) -> Columns:
    """Return the columns of a table whose columns have these types of a contract.

    Args:
        table: The table.
        types: The contract's type of each column.
        distinct: Of a column of texts, return each text once: faster for a long table.

    Raises:
        ValueError: A boolean is missing, or a number of polars is none (NaN).
    """
    return {
        name: _array_of(
            table[name].unique() if distinct and kind == "string" else table[name], kind
        )
        for name, kind in types.items()
    }


def rows_of_columns(columns: Columns) -> list[dict[str, Any]]:
    """Return the rows as plain values, None for a missing one."""
    return plain_rows({name: array.tolist() for name, array in columns.items()})


def _array(values: list[Any], kind: str) -> np.ndarray:
    if kind == "timestamp[UTC]":
        # Arrow reads Python's moments a hundred times faster than numpy.
        return np.array(pa.array(values, ARROW[kind]).to_numpy(zero_copy_only=False))
    if kind == "integer" and None in values:
        kind = "number"
    elif kind == "boolean" and None in values:
        raise ValueError("a boolean is missing")
    return np.array(values, PLAIN[kind])


def _array_of(series: Any, kind: str) -> np.ndarray:
    if kind == "string":
        values = [value if isinstance(value, str) else None for value in series]
        return np.array(values, object)
    if isinstance(series, pd.Series):
        if kind == "timestamp[UTC]":
            return np.asarray(series, "datetime64[us]")
        if not isinstance(series.dtype, np.dtype) and series.hasnans:
            return _array([None if value is pd.NA else value for value in series.to_list()], kind)
    elif series.null_count() and kind in ("boolean", "integer"):
        return _array(series.to_list(), kind)
    elif kind == "number" and series.is_nan().any():
        raise ValueError("NaN is a number to polars, and a missing one to numpy")
    return np.asarray(series.to_numpy(), PLAIN[kind])


_SAME = {
    *(np.add, np.subtract, np.multiply, np.negative, np.absolute),
    *(np.less, np.less_equal, np.equal, np.not_equal, np.greater, np.greater_equal),
    *(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.logical_not),
    *(np.isnan, np.isnat),
}
"""What numpy calculates as the engines do, value by value."""


class CheckedColumns(dict[str, "CheckedColumn"]):
    """Columns in the place of a table, for the rules of a contract about whole rows."""

    @property
    def lazyframe(self) -> "CheckedColumns":
        """As pandera gives a table of polars to a rule."""
        return self

    def collect(self) -> "CheckedColumns":
        """The table of which this is the lazy form."""
        return self


class CheckedColumn(np.ndarray):
    """A column that answers like a series of pandas and polars, as far as numpy agrees with them.

    A rule that asks for more fails with an error, and is left to the engine.
    """

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Calculate, if the engines calculate the same."""
        if ufunc not in _SAME or method != "__call__" or options:
            return NotImplemented
        return np.asarray(ufunc(*map(_operand, inputs))).view(CheckedColumn)

    def isna(self) -> Any:
        """True for each missing value."""
        if self.dtype.kind in "Mf":
            return np.isnat(self) if self.dtype.kind == "M" else np.isnan(self)
        return np.zeros(self.shape, bool).view(CheckedColumn)

    is_null = isnull = isna

    def notna(self) -> Any:
        """True for each value that there is."""
        return ~self.isna()

    is_not_null = notnull = notna

    def to_frame(self) -> "CheckedColumn":
        """The result of a rule, as a table of polars."""
        return self

    lazy = to_frame


def _operand(value: Any) -> Any:
    if isinstance(value, timedelta):
        return np.timedelta64(value)
    if isinstance(value, datetime) and value.tzinfo:
        return np.datetime64(value.astimezone(UTC).replace(tzinfo=None))
    return np.asarray(value) if isinstance(value, CheckedColumn) else value


def holds(rule: Callable[[Any], Any], columns: Columns, engine: Engine) -> bool:
    """Whether a rule about whole rows is certainly true for each; if False, ask the engine."""
    count = len(next(iter(columns.values())))
    # A missing value is equal to nothing in pandas, and neither true nor false in polars.
    known = {
        name: array.view(CheckedColumn)
        for name, array in columns.items()
        if not (engine == "polars" or array.dtype.kind == "O") or not has_missing(array)
    }
    try:
        # Where numpy would only warn, engines differ from it.
        with np.errstate(all="raise"):
            answer = rule(CheckedColumns(known))
    except Exception:  # noqa: BLE001 - a rule may use anything that only a table has
        return False
    return (
        isinstance(answer, CheckedColumn)
        and answer.dtype == bool
        and answer.shape == (count,)
        and bool(np.asarray(answer).all())
    )


def has_missing(array: np.ndarray) -> bool:
    """Whether a value is missing."""
    match array.dtype.kind:
        case "M":
            return bool(np.isnat(array).any())
        case "f":
            return bool(np.isnan(array).any())
        case "O":
            return None in array.tolist()
        case _:
            return False
