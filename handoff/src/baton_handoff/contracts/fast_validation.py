"""Tables of a few rows, checked in a fraction of the time.

pandera prepares each check as for a million rows: tens of milliseconds for twenty columns, however
short the table. A service asks row by row. What is accepted here, pandera would accept as well;
everything else goes on to pandera, which knows more rules and says what is wrong.
"""

import operator
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd
from pandera.api.checks import Check
from pandera.api.pandas.container import DataFrameSchema
from pandera.backends.pandas.container import DataFrameSchemaBackend as OnPandas

from baton_handoff.contracts.canonical import enforced
from baton_handoff.contracts.frames import Engine, Frame
from baton_handoff.contracts.row_models import from_the_start

FEW = 100
"""Up to so many rows, going through them in Python is quicker."""

_Rule: TypeAlias = Callable[[Any], bool]

_BOUNDS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "equal_to": (operator.eq, "value"),
    "greater_than": (operator.gt, "min_value"),
    "greater_than_or_equal_to": (operator.ge, "min_value"),
    "less_than": (operator.lt, "max_value"),
    "less_than_or_equal_to": (operator.le, "max_value"),
}
_COLUMN = {"type", "nullable", "required", "unique", "coerce", "checks"}
_TABLE = {"columns", "checks", "unique", "strict", "ordered", "coerce"}


def check_short_tables_quickly() -> None:
    """Take the quick way for short tables from now on, wherever this process asks pandera."""
    DataFrameSchema.register_default_backends(pd.DataFrame)
    DataFrameSchema.register_backend(pd.DataFrame, _quick(OnPandas, "pandas"), force=True)
    with suppress(ImportError):
        import polars as pl
        from pandera.api.polars.container import DataFrameSchema as PolarsSchema
        from pandera.backends.polars.container import DataFrameSchemaBackend as OnPolars

        PolarsSchema.register_default_backends(pl.DataFrame)
        PolarsSchema.register_backend(pl.DataFrame, _quick(OnPolars, "polars"), force=True)


def _quick(backend: type, engine: Engine) -> Any:
    """A pandera backend that asks `accepts` first."""

    def validate(self: Any, check_obj: Frame, schema: Any, **options: Any) -> Frame:
        whole = all(options.get(part) is None for part in ("head", "tail", "sample"))
        if whole and len(check_obj) <= FEW and accepts(schema, check_obj, engine):
            return check_obj
        table: Frame = backend.validate(self, check_obj, schema, **options)  # type: ignore[attr-defined]
        return table

    return type("Quick", (backend,), {"validate": validate})


def accepts(schema: Any, table: Frame, engine: Engine) -> bool:
    """Whether a table certainly meets a schema; False where only pandera can tell."""
    known = _plans.get(id(schema))
    if known is None or known[0] is not schema:
        # The schema is kept along: while it lives, nothing else has its id.
        known = _plans[id(schema)] = (schema, _plan(schema, engine))
    plan = known[1]
    return plan is not None and plan.accepts(table)


_plans: dict[int, tuple[Any, "_Plan | None"]] = {}


@dataclass(frozen=True)
class _Column:
    """What is asked of one column."""

    name: str
    dtype: Any
    nullable: bool
    unique: bool
    rules: Sequence[_Rule]


@dataclass(frozen=True)
class _Plan:
    """What is asked of a table, ready to be asked often."""

    engine: Engine
    columns: Sequence[_Column]
    key: Sequence[str]
    strict: bool
    checks: Sequence[Check]

    def accepts(self, table: Frame) -> bool:
        names = list(table.columns)
        if len(set(names)) < len(names) or (self.strict and len(names) != len(self.columns)):
            return False
        types = dict(zip(names, table.dtypes, strict=True))
        if any(types.get(column.name) != column.dtype for column in self.columns):
            return False
        values = dict(zip(names, _values(table), strict=True))
        if not all(self._column_holds(column, values[column.name]) for column in self.columns):
            return False
        if self.key and not self._each_once(*(values[name] for name in self.key)):
            return False
        return all(self._holds(check, table) for check in self.checks)

    def _column_holds(self, column: _Column, values: list[Any]) -> bool:
        known = [value for value in values if not self._missing(value)]
        if len(known) < len(values) and not column.nullable:
            return False
        if column.unique and not self._each_once(values):
            return False
        return all(rule(value) for rule in column.rules for value in known)

    def _missing(self, value: Any) -> bool:
        # To polars NaN is a number, and no number is less than it.
        return value is None or (self.engine == "pandas" and bool(pd.isna(value)))

    def _each_once(self, *columns: list[Any]) -> bool:
        # Whether two gaps are equal, each engine sees in its own way.
        gaps = any(pd.isna(value) for values in columns for value in values)
        rows = list(zip(*columns, strict=True))
        return len(rows) == 1 or (not gaps and len(set(rows)) == len(rows))

    def _holds(self, check: Check, table: Frame) -> bool:
        """Whether a rule about whole rows says yes to each; anything else is for pandera."""
        if isinstance(table, pd.DataFrame):
            said = check._check_fn(table)
            return isinstance(said, pd.Series) and said.dtype == bool and bool(said.all())
        return bool(check(table.lazy()).check_passed.collect().item())


def _values(table: Frame) -> list[list[Any]]:
    """What stands in each column, as Python has it."""
    if isinstance(table, pd.DataFrame):  # column by column it takes longer than to look at them
        by_column: list[list[Any]] = table.to_numpy(dtype=object).T.tolist()
        return by_column
    return [column.to_list() for column in table]


def _plan(schema: Any, engine: Engine) -> _Plan | None:
    """How to check a schema quickly, None where it asks for something unusual."""
    form = enforced(schema)
    usual = set(form) == _TABLE and form["strict"] in (True, False)
    if not usual or form["ordered"] or form["coerce"] or any(map(_unusual, schema.checks)):
        return None
    columns = []
    for name, column in schema.columns.items():
        stated = form["columns"][name]
        rules = [_rule(check, engine) for check in column.checks]
        usual = set(stated) == _COLUMN and stated["required"] and not stated["coerce"]
        if not usual or None in rules:
            return None
        found = [rule for rule in rules if rule is not None]
        columns.append(_Column(name, column.dtype.type, column.nullable, column.unique, found))
    return _Plan(engine, columns, form["unique"], form["strict"], schema.checks)


def _rule(check: Check, engine: Engine) -> _Rule | None:
    """A built-in rule about one value, None for any other."""
    name, stated = getattr(check._check_fn, "__name__", ""), check.statistics or {}
    if not Check.is_builtin_check(name) or _unusual(check):
        return None
    if name in _BOUNDS:
        holds, argument = _BOUNDS[name]
        bound = stated[argument]
        return lambda value: holds(value, bound)
    if name == "isin":
        return frozenset(stated["allowed_values"]).__contains__
    if name == "str_matches":
        matches = re.compile(from_the_start(stated["pattern"], engine)).search
        # Beyond ASCII, and at the end of a line, Python's patterns are not those of the engines.
        return lambda value: value.isascii() and "\n" not in value and matches(value) is not None
    return None


def _unusual(check: Check) -> bool:
    asked = (check.element_wise, check.groupby, check.groups, check.raise_warning)
    return any(asked) or not check.ignore_na
