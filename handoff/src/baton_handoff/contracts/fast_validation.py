"""Validate short tables with row models; pandera validates all other tables.

pandera prepares each check as for a million rows: tens of milliseconds for twenty columns, however
short the table. The service validates a few rows, several times a request. A table that a row model
accepts here, pandera would accept too; any other goes to pandera, which finds what is violated.
Rules that only warn are left to `drafts`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from narwhals.dependencies import is_pandas_dataframe, is_polars_dataframe
from pandera.api.checks import Check
from pydantic import ValidationError

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.contracts.frames import Frame
from baton_handoff.contracts.row_models import is_checked_by_row, row_model
from baton_handoff.core.errors import HandoffError

MAX_ROWS = 100
"""Longer tables are validated faster by pandera."""

_COLUMN = {"type", "dtype", "nullable", "required", "unique", "coerce", "checks", "drafts"}
_TABLE = {
    *("name", "metadata", "engine", "columns", "checks", "unique", "strict", "ordered", "coerce"),
}


class RowValidation:
    """Validate the rows of a short table with the row model of its contract.

    Raises:
        HandoffError: The contract has a rule or an option that a row model can't enforce.
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
        self._validate_row = row_model(contract).__pydantic_validator__.validate_python
        self._types = {name: column.dtype.type for name, column in schema.columns.items()}
        self._is_strict = form["strict"]
        self._keys = [[name] for name in columns if columns[name]["unique"]]
        self._keys += [form["unique"]] if form["unique"] else []
        self._patterned = [
            name
            for name, column in columns.items()
            if any(check["name"] == "str_matches" for check in column["checks"])
        ]
        self._checks: Sequence[Check] = schema.checks

    def accepts(self, table: Frame) -> bool:
        """Whether a table certainly meets the contract; if False, only pandera can tell."""
        names = list(table.columns)
        types = dict(zip(names, table.dtypes, strict=True))
        if len(types) < len(names) or (self._is_strict and len(names) != len(self._types)):
            return False
        if any(types.get(name) != kind for name, kind in self._types.items()):
            return False
        rows = _rows(table)
        try:
            for row in rows:
                self._validate_row(row)
        except ValidationError:
            return False
        # Beyond ASCII, and at the end of a line, Python's patterns are not those of the engines.
        texts = [row[name] for row in rows for name in self._patterned if row[name] is not None]
        return (
            all(text.isascii() and "\n" not in text for text in texts)
            and all(_is_unique(rows, key) for key in self._keys)
            and all(_holds(check, table) for check in self._checks)
        )


def use_row_models(contracts: Iterable[Contract]) -> None:
    """Let contracts validate short tables with their row models, from now on in this process."""
    for contract in contracts:
        try:
            validation = RowValidation(contract)
        except HandoffError:
            continue
        _install(contract, validation)


def _install(contract: Contract, validation: RowValidation) -> None:
    by_pandera = contract.validate.__func__  # type: ignore[attr-defined]

    def validate(cls: Contract, check_obj: Frame, *args: Any, **options: Any) -> Any:
        # A contract that derives from this one inherits the method, but has rules of its own.
        plain = cls is contract and not args and not set(options) - {"lazy"}
        # A lazy table has no rows yet.
        eager = is_pandas_dataframe(check_obj) or is_polars_dataframe(check_obj)
        if plain and eager and len(check_obj) <= MAX_ROWS and validation.accepts(check_obj):
            return check_obj
        return by_pandera(cls, check_obj, *args, **options)

    contract.validate = classmethod(validate)  # type: ignore[assignment,method-assign]


def _is_plain(column: dict[str, Any]) -> bool:
    usual = set(column) <= _COLUMN and column["required"] and not column["coerce"]
    return usual and is_checked_by_row(column)


def _has_options(check: Check) -> bool:
    options = (check.element_wise, check.groupby, check.groups, check.raise_warning)
    return any(options) or not check.ignore_na


def _rows(table: Frame) -> list[dict[str, Any]]:
    """Return the rows as Python's values, None for a missing one."""
    if not isinstance(table, pd.DataFrame):
        return table.rows(named=True)  # NaN stays: to polars it is a number
    names = list(table.columns)
    return [
        {
            # NaN and NaT are not equal to themselves.
            name: None if value is pd.NA or value != value else value  # noqa: PLR0124
            for name, value in zip(names, row, strict=True)
        }
        for row in table.to_numpy(dtype=object).tolist()
    ]


def _is_unique(rows: Sequence[dict[str, Any]], key: Sequence[str]) -> bool:
    # Each engine has its own rule on whether two missing values are equal.
    values = {tuple(row[name] for name in key) for row in rows}
    return len(rows) == 1 or (
        len(values) == len(rows) and not any(None in value for value in values)
    )


def _holds(check: Check, table: Frame) -> bool:
    """Whether a check of whole rows is true for each; any other answer is for pandera."""
    if isinstance(table, pd.DataFrame):
        answer = check._check_fn(table)
        return isinstance(answer, pd.Series) and answer.dtype == bool and bool(answer.all())
    return bool(check(table.lazy()).check_passed.collect().item())
