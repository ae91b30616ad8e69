"""Validate a table against its contract."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import narwhals as nw
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from baton_handoff.contracts.canonical import Contract, built_in_check, column_type
from baton_handoff.contracts.drafts import drafts_of
from baton_handoff.contracts.frames import Frame, from_rows
from baton_handoff.contracts.sentences import violation_text
from baton_handoff.contracts.violations import Rule, RuleKind, Violation
from baton_handoff.core.errors import HandoffError

_log = logging.getLogger(__name__)
_Table = TypeVar("_Table", bound=Frame)

_KINDS = {
    SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME: RuleKind.MISSING,
    SchemaErrorReason.COLUMN_NOT_IN_SCHEMA: RuleKind.NOT_IN_CONTRACT,
    SchemaErrorReason.COLUMN_NOT_ORDERED: RuleKind.ORDER,
    SchemaErrorReason.DATATYPE_COERCION: RuleKind.TYPE,
    SchemaErrorReason.DUPLICATES: RuleKind.KEY,
    SchemaErrorReason.SERIES_CONTAINS_DUPLICATES: RuleKind.UNIQUE,
    SchemaErrorReason.SERIES_CONTAINS_NULLS: RuleKind.NULL,
    SchemaErrorReason.WRONG_DATATYPE: RuleKind.TYPE,
}


class ContractViolation(HandoffError):  # noqa: N818 (a violation is what it is)
    """A table violates its contract.

    Attributes:
        contract: The name of the contract.
        violations: Every rule that the table violates.
    """

    exit_code = 1

    def __init__(self, contract: str, violations: tuple[Violation, ...]) -> None:
        # Both are Exception's own arguments, so that it can be pickled.
        super().__init__(contract, violations)
        self.contract = contract
        self.violations = violations

    def __str__(self) -> str:
        return f"{self.contract} is violated: {'; '.join(map(violation_text, self.violations))}."


def check(contract: Contract, table: _Table) -> _Table:
    """Return `table` if it meets its contract; log the drafted rules that it does not meet.

    Raises:
        ContractViolation: It doesn't; the error holds every violated rule, not only the first.
    """
    schema = contract.to_schema()
    key = {name for name in schema.unique or [] if isinstance(name, str)}
    if key and key.isdisjoint(table.columns):
        # With polars, pandera fails to look for repeated keys in such a table.
        missing = tuple(
            Violation(name, Rule(RuleKind.MISSING))
            for name, column in schema.columns.items()
            if column.required and name not in table.columns
        )
        raise ContractViolation(contract.__name__, missing)
    try:
        validated: _Table = contract.validate(table, lazy=True)  # type: ignore[assignment]
    except SchemaErrors as errors:
        violations = _violations(_with_positions(contract, table) or errors)
        raise ContractViolation(contract.__name__, tuple(violations)) from None
    if outside := drafts_of(contract).in_table(validated):
        _log.warning(
            "%s: drafted rules are not met: %s. Correct them, or confirm them by deleting"
            " `raise_warning=True`.",
            contract.__name__,
            "; ".join(map(violation_text, outside)),
        )
    return validated


def violation_of(error: BaseException) -> ContractViolation | None:
    """Return the violation that an error reports, also an error of pandera; None for any other.

    pandera's error about a column does not name the contract, and rows only by their labels.
    """
    if isinstance(error, ContractViolation):
        return error
    if isinstance(error, SchemaErrors):
        return ContractViolation(str(error.schema.name), tuple(_violations(error)))
    if not isinstance(error, SchemaError):
        return None
    is_table = hasattr(error.schema, "columns")
    cases: Any = error.failure_cases
    labels = cases["index"] if "index" in getattr(cases, "columns", ()) else ()
    rows = tuple(sorted({label for label in labels if isinstance(label, int)}))
    column = None if is_table else _column_name(error)
    contract = str(error.schema.name) if is_table else ""
    return ContractViolation(contract, (Violation(column, _rule(error), rows),))


def _with_positions(contract: Contract, table: Frame) -> SchemaErrors | None:
    """Return the errors by the rows' positions, None if the labels of the rows are positions."""
    positioned = nw.maybe_reset_index(nw.from_native(table)).to_native()
    if positioned is table:
        return None
    try:
        contract.validate(positioned, lazy=True)
    except SchemaErrors as errors:
        return errors
    return None


def _violations(errors: SchemaErrors) -> Iterator[Violation]:
    """Yield one violation for each rule; pandera lists each cell."""
    rows: dict[tuple[str | None, Rule], set[int]] = {}
    backend = errors.schema.get_backend(errors.data)
    for error in errors.schema_errors:
        cases = backend.failure_cases_metadata(errors.schema.name, [error]).failure_cases
        for case in nw.from_native(cases, eager_only=True).rows(named=True):
            column = None if error.schema is errors.schema else _column_name(error)
            rule = _rule(error)
            if rule.kind in (RuleKind.MISSING, RuleKind.NOT_IN_CONTRACT):
                column = str(case["failure_case"])
            positions = rows.setdefault((column, rule), set())
            index = case["index"]
            # The type is a property of the whole column.
            if isinstance(index, int | float) and not math.isnan(index) and not rule.expected:
                positions.add(int(index))
    for (column, rule), positions in rows.items():
        yield Violation(column, rule, tuple(sorted(positions)))


def _column_name(error: SchemaError) -> str:
    """The column of an error; an index may have no name."""
    return "index" if error.schema.name is None else str(error.schema.name)


def _rule(error: SchemaError) -> Rule:
    kind = _KINDS.get(error.reason_code, RuleKind.CHECK)
    match kind:
        case RuleKind.TYPE:
            return Rule(kind, expected=column_type(error.schema.dtype))
        case RuleKind.KEY:
            unique = error.schema.unique
            return Rule(kind, key=(unique,) if isinstance(unique, str) else tuple(sorted(unique)))
        case RuleKind.CHECK if error.check and not isinstance(error.check, str):
            if form := built_in_check(error.check):
                return Rule(kind, check=form.pop("name"), arguments=form)
            return Rule(kind, check=str(error.check.name), message=error.check.error or "")
        case RuleKind.CHECK:
            # pandera does not name the rule of an index of several levels.
            message = "" if error.check else "the index breaks a rule"
            return Rule(kind, check=str(error.check or "index"), message=message)
        case _:
            return Rule(kind)


def accepts_each(contract: Contract, tables: Sequence[Sequence[Mapping[str, Any]]]) -> list[bool]:
    """Whether a contract accepts each table; as `accepts_rows` does, but in less time.

    Tables of one row with values of the same types are validated as one table, where pandera can
    tell which rows it refuses. A check that compares rows may judge that table differently.
    """
    groups: dict[object, list[int]] = {}
    for number, table in enumerate(tables):
        types = tuple((name, type(value)) for name, value in table[0].items())
        groups.setdefault(types if len(table) == 1 else number, []).append(number)
    accepted: dict[int, bool] = {}
    for numbers in groups.values():
        refused = None
        if len(numbers) > 1:
            refused = _refused_rows(contract, [tables[number][0] for number in numbers])
        for row, number in enumerate(numbers):
            whole = refused is None
            accepted[number] = (
                accepts_rows(contract, tables[number]) if whole else row not in (refused or ())
            )
    return [accepted[number] for number in range(len(tables))]


def _refused_rows(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> set[int] | None:
    """Return the rows that a contract refuses each for itself; None if that can't be told."""
    if set(rows[0]) != set(contract.to_schema().columns):
        return None
    try:
        check(contract, from_rows(contract, rows))
    except ContractViolation as violated:
        # A table of one row repeats nothing.
        repeats = (RuleKind.KEY, RuleKind.UNIQUE)
        found = [one for one in violated.violations if one.rule.kind not in repeats]
        known = all(one.rows for one in found)
        return {row for one in found for row in one.rows} if known else None
    except Exception:  # noqa: BLE001 - each row for itself shows which one it is
        return None
    return set()


def accepts_rows(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a contract accepts rows of plain values, timestamps as text.

    Raises:
        HandoffError: A check of the contract fails with an error of its own.
    """
    columns = contract.to_schema().columns
    names = list(rows[0])
    extra = [nw.lit(value).alias(name) for name, value in rows[0].items() if name not in columns]
    try:
        table = from_rows(contract, rows)
    except Exception:  # noqa: BLE001 - each engine has its own for a value of another type
        return False
    known = nw.from_native(table, eager_only=True).select(name for name in names if name in columns)
    try:
        contract.validate(known.with_columns(extra).select(names).to_native())
    except (SchemaError, SchemaErrors):
        return False
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise HandoffError(f"{contract.__name__} can't validate a row: {reason}") from error
    return True
