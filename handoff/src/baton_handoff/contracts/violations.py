"""Checking a table against its contract, and saying what broke it by column and rule."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import narwhals as nw
from pandera.errors import SchemaErrors

from baton_handoff.contracts.canonical import Contract, canonical_form, column_type
from baton_handoff.contracts.frames import Frame
from baton_handoff.contracts.sentences import each_once, phrase
from baton_handoff.core.errors import HandoffError

_Table = TypeVar("_Table", bound=Frame)


@dataclass(frozen=True)
class Violation:
    """One rule of a contract that a table breaks.

    Attributes:
        column: The column, or None where the rule is about the whole table.
        rule: The rule, in words.
        rows: The positions of the rows that break it, empty where all do.
    """

    column: str | None
    rule: str
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        where = "the table" if self.column is None else f"column {self.column!r}"
        if not self.rows:
            return f"{where}: {self.rule}"
        shown = ", ".join(map(str, self.rows[:3])) + (" …" if len(self.rows) > 3 else "")
        return f"{where}: {self.rule} ({len(self.rows)} rows: {shown})"


class ContractViolation(HandoffError):  # noqa: N818 (a violation is what it is)
    """A table that its contract refuses."""

    exit_code = 1

    def __init__(self, contract: str, violations: tuple[Violation, ...]) -> None:
        # Both are Exception's own arguments, so that it can be pickled.
        super().__init__(contract, violations)
        self.contract = contract
        self.violations = violations

    def __str__(self) -> str:
        return f"{self.contract} refuses {'; '.join(map(str, self.violations))}."


def check(contract: Contract, table: _Table) -> _Table:
    """Return `table` if its contract accepts it.

    Raises:
        ContractViolation: It does not; every broken rule is named, not only the first.
    """
    schema = contract.to_schema()
    key = {name for name in schema.unique or [] if isinstance(name, str)}
    if key and key.isdisjoint(table.columns):
        # Whoever looks for repeated keys in such a table, as pandera does with polars, stumbles.
        absent = tuple(
            Violation(name, "is missing")
            for name, column in schema.columns.items()
            if column.required and name not in table.columns
        )
        raise ContractViolation(contract.__name__, absent)
    try:
        return contract.validate(table, lazy=True)  # type: ignore[return-value]
    except SchemaErrors as errors:
        found = _violations(contract, _by_position(contract, table) or errors)
        raise ContractViolation(contract.__name__, tuple(found)) from None


def _by_position(contract: Contract, table: Frame) -> SchemaErrors | None:
    """What is wrong with a table whose labels are no positions: by them pandas tells rows."""
    positioned = nw.maybe_reset_index(nw.from_native(table)).to_native()
    if positioned is table:
        return None
    try:
        contract.validate(positioned, lazy=True)
    except SchemaErrors as errors:
        return errors
    return None


def _violations(contract: Contract, errors: SchemaErrors) -> Iterator[Violation]:
    """Fold pandera's list, one entry for each cell, into one violation for each rule."""
    rows: dict[tuple[str | None, str], set[int]] = {}
    for case in nw.from_native(errors.failure_cases, eager_only=True).rows(named=True):
        broken = (
            _broken_by_table(contract, case)
            if case["schema_context"] == "DataFrameSchema"
            else _broken_by_column(contract, case)
        )
        positions = rows.setdefault(broken, set())
        index = case["index"]
        if isinstance(index, int | float) and not math.isnan(index):
            positions.add(int(index))
    for (column, rule), positions in rows.items():
        # A column of another type is refused as a whole; its cells say nothing more.
        whole = rule.startswith("must be of type")
        yield Violation(column, rule, () if whole else tuple(sorted(positions)))


def _broken_by_table(contract: Contract, case: dict[str, Any]) -> tuple[str | None, str]:
    match str(case["check"]):
        case "column_in_schema":
            return str(case["failure_case"]), "is not in the contract"
        case "column_in_dataframe":
            return str(case["failure_case"]), "is missing"
        case "multiple_fields_uniqueness":
            return None, each_once(canonical_form(contract)["unique"])
        case rule:
            return None, rule


def _broken_by_column(contract: Contract, case: dict[str, Any]) -> tuple[str, str]:
    column = str(case["column"])
    match str(case["check"]):
        case "not_nullable":
            return column, "must not be null"
        case "field_uniqueness":
            return column, "must be unique"
        case check if check.startswith("dtype("):
            wanted = contract.to_schema().columns[column].dtype
            return column, f"must be of type {column_type(wanted)}"
        case check:
            return column, f"must be {_in_words(check)}"


def _in_words(check: str) -> str:
    """`less_than(5)` as a person says it: less than 5."""
    name, _, arguments = check.partition("(")
    return phrase(name, arguments.removesuffix(")"))
