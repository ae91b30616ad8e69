"""Validate tables with numpy where that is certain; pandera validates all others.

pandera prepares each check as for a million rows: tens of milliseconds for twenty columns, however
short the table; the service validates a request several times. What is accepted here, pandera would
accept too; anything else goes to pandera, which finds what is violated. Rules that only warn are
left to `drafts`.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from narwhals.dependencies import is_pandas_dataframe, is_polars_dataframe
from pandera.api.checks import Check

from baton_handoff.contracts.canonical import Contract, canonical_form, engine_of
from baton_handoff.contracts.columns import (
    PLAIN,
    Columns,
    columns_of_rows,
    columns_of_table,
    has_missing,
    holds,
)
from baton_handoff.contracts.constraints import Constraints
from baton_handoff.contracts.frames import Frame
from baton_handoff.contracts.row_models import anchored, is_checked_by_row
from baton_handoff.core.errors import HandoffError

LONG = 1_000
"""Rows up to which a loop is faster than the engine in finding distinct values."""

_COLUMN = {"type", "dtype", "nullable", "required", "unique", "coerce", "checks", "drafts"}
_TABLE = {
    *("name", "metadata", "engine", "columns", "checks", "unique", "strict", "ordered", "coerce"),
}
_NUMERIC = ("integer", "number")
_EXACT = 2**53
"""Beyond it, a floating-point number does not hold every integer."""


@dataclass(frozen=True)
class _Texts:
    """The rules of a column of texts."""

    allowed: frozenset[str] | None
    patterns: tuple[re.Pattern[str], ...]

    def accept(self, values: set[str]) -> bool:
        if self.allowed is not None and not values <= self.allowed:
            return False
        # Beyond ASCII, and at the end of a line, Python's patterns are not those of the engines.
        return not self.patterns or all(
            value.isascii() and "\n" not in value and all(p.search(value) for p in self.patterns)
            for value in values
        )


class FastValidation:
    """Tells whether a table certainly meets a contract.

    Raises:
        HandoffError: The contract has a rule or an option that only pandera can enforce.
    """

    def __init__(self, contract: Contract) -> None:
        form, schema = canonical_form(contract), contract.to_schema()
        columns = form["columns"]
        is_plain = (
            set(form) == _TABLE
            and form["strict"] in (True, False)
            and not (form["ordered"] or form["coerce"])
            and not any(map(_has_options, schema.checks))
            and all(map(_is_plain, columns.values()))
        )
        if not is_plain:
            raise HandoffError(f"{contract.__name__} has rules that only pandera can validate.")
        self.types = {name: column["type"] for name, column in columns.items()}
        self._engine = engine_of(contract)
        self._dtypes = {name: column.dtype.type for name, column in schema.columns.items()}
        self._is_strict = form["strict"]
        self._nullable = {name for name, column in schema.columns.items() if column.nullable}
        self._keys = [[name] for name in columns if columns[name]["unique"]]
        self._keys += [form["unique"]] if form["unique"] else []
        self._numbers = [name for name, kind in self.types.items() if kind in _NUMERIC]
        ends = np.array([_ends(contract, columns[name]) for name in self._numbers])
        self._low, self._high = np.hsplit(ends.reshape(-1, 2), 2)
        self._may_miss = np.array([[name in self._nullable] for name in self._numbers])
        self._listed = {
            name: allowed
            for name in self._numbers
            if (allowed := _allowed(columns[name])) is not None
        }
        self._texts = {
            name: _Texts(
                _allowed(columns[name]),
                tuple(
                    re.compile(anchored(check["pattern"], self._engine))
                    for check in columns[name]["checks"]
                    if check["name"] == "str_matches"
                ),
            )
            for name, kind in self.types.items()
            if kind == "string"
        }
        self._checks: Sequence[Check] = schema.checks

    def columns(self, rows: Sequence[Mapping[str, Any]]) -> Columns:
        """Return the columns of rows of plain values.

        Raises:
            ValueError: A value has another type.
        """
        return columns_of_rows(rows, self.types)

    def accepts(self, table: Frame) -> bool:
        """Whether a table certainly meets the contract; if False, only pandera can tell."""
        names = list(table.columns)
        types = dict(zip(names, table.dtypes, strict=True))
        if len(types) < len(names) or (self._is_strict and len(names) != len(self._dtypes)):
            return False
        if any(types.get(name) != kind for name, kind in self._dtypes.items()):
            return False
        try:
            columns = columns_of_table(table, self.types, distinct=len(table) > LONG)
        except ValueError:
            return False
        return (
            self._accepts_values(columns)
            and all(_is_unique(columns, key, table) for key in self._keys)
            and all(_holds(check, table) for check in self._checks)
        )

    def accepts_columns(self, columns: Columns) -> bool:
        """Whether columns certainly meet the contract as a table; if False, it takes a table."""
        if not columns or (self._is_strict and len(columns) != len(self.types)):
            return False
        if not len(next(iter(columns.values()))):
            return False  # a rule about the whole table may ask for rows
        return (
            self._accepts_values(columns)
            and all(_is_unique(columns, key) for key in self._keys)
            and all(holds(check._check_fn, columns, self._engine) for check in self._checks)
        )

    def _accepts_values(self, columns: Columns) -> bool:
        if not columns.keys() >= self.types.keys() or not self._accepts_numbers(columns):
            return False
        for name, kind in self.types.items():
            array = columns[name]
            if kind == "string":
                texts = set(array.tolist())
                if None in texts and name not in self._nullable:
                    return False
                if not self._texts[name].accept(texts - {None}):
                    return False
            elif kind.startswith("timestamp") and name not in self._nullable and has_missing(array):
                return False
        return True

    def _accepts_numbers(self, columns: Columns) -> bool:
        if not self._numbers:
            return True
        # One array for all: numpy takes longer to begin than to compare.
        numbers = np.array([columns[name] for name in self._numbers], np.float64)
        within = (numbers >= self._low) & (numbers <= self._high)
        if not within.all() and not (within | (np.isnan(numbers) & self._may_miss)).all():
            return False
        return all(set(columns[name].tolist()) <= allowed for name, allowed in self._listed.items())


@cache
def fast_validation(contract: Contract) -> FastValidation | None:
    """Return the fast validation of a contract, None if only pandera can validate it."""
    try:
        return FastValidation(contract)
    except HandoffError:
        return None


def use_fast_validation(contracts: Iterable[Contract]) -> None:
    """Let contracts validate tables fast where they can, from now on in this process."""
    for contract in contracts:
        validation = fast_validation(contract)
        if validation and "validate" not in vars(contract):  # where it is not done yet
            _install(contract, validation)


def _install(contract: Contract, validation: FastValidation) -> None:
    by_pandera = contract.validate.__func__  # type: ignore[attr-defined]

    def validate(cls: Contract, check_obj: Frame, *args: Any, **options: Any) -> Any:
        # A contract that derives from this one inherits the method, but has rules of its own.
        plain = cls is contract and not args and not set(options) - {"lazy"}
        # A lazy table has no rows yet.
        eager = is_pandas_dataframe(check_obj) or is_polars_dataframe(check_obj)
        if plain and eager and len(check_obj) and validation.accepts(check_obj):
            return check_obj
        return by_pandera(cls, check_obj, *args, **options)

    contract.validate = classmethod(validate)  # type: ignore[assignment,method-assign]


def _is_plain(column: Mapping[str, Any]) -> bool:
    usual = set(column) <= _COLUMN and column["required"] and not column["coerce"]
    return usual and column["type"] in PLAIN and is_checked_by_row(column)


def _has_options(check: Check) -> bool:
    options = (check.element_wise, check.groupby, check.groups, check.raise_warning)
    return any(options) or not check.ignore_na


def _ends(contract: Contract, column: Mapping[str, Any]) -> tuple[float, float]:
    """The smallest and the largest number that a column may hold; infinity is for pandera."""
    allowed = Constraints.of(column)
    whole = column["type"] == "integer"
    lows, highs = (-_EXACT, _EXACT) if whole else (-sys.float_info.max, sys.float_info.max)
    known = {"greater_than", "greater_than_or_equal_to", "less_than", "less_than_or_equal_to"}
    if not {check["name"] for check in column["checks"]} <= {*known, "isin"} or allowed.other:
        raise HandoffError(f"{contract.__name__} has rules that only pandera can validate.")
    low, high = allowed.low, allowed.high
    return (
        max(lows, low.value if low.inclusive else np.nextafter(low.value, np.inf)),
        min(highs, high.value if high.inclusive else np.nextafter(high.value, -np.inf)),
    )


def _allowed(column: Mapping[str, Any]) -> frozenset[Any] | None:
    """The listed values of a column, None if none are listed."""
    return Constraints.of({"checks": column["checks"]}).allowed


def _is_unique(columns: Columns, key: Sequence[str], table: Frame | None = None) -> bool:
    arrays = [columns[name] for name in key]
    long = table if table is not None and len(table) > LONG else None
    if len(arrays[0]) == 1 and long is None:
        return True
    # Each engine has its own rule on whether two missing values are equal.
    if any(map(has_missing, arrays)):
        return False
    if isinstance(long, pd.DataFrame):
        return not long.duplicated(key).any()
    if long is not None:  # the columns have each text once
        return not long.select(key).is_duplicated().any()
    return len(set(zip(*(array.tolist() for array in arrays), strict=True))) == len(arrays[0])


def _holds(check: Check, table: Frame) -> bool:
    """Whether a check of whole rows is true for each; any other answer is for pandera."""
    if isinstance(table, pd.DataFrame):
        answer = check._check_fn(table)
        return isinstance(answer, pd.Series) and answer.dtype == bool and bool(answer.all())
    return bool(check(table.lazy()).check_passed.collect().item())
