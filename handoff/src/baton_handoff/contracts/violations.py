"""What a table violates, as data. `sentences` renders it, `validation` finds it.

Decide by `violation.rule.kind`; never by a sentence. Examples:

    Violation("seats", Rule(RuleKind.MISSING))
    Violation("seats", Rule(RuleKind.TYPE, expected="integer"))
    Violation("seats", Rule(RuleKind.CHECK, check="less_than", arguments={"max_value": 9}), (1, 4))
    Violation(None, Rule(RuleKind.KEY, key=("seats", "town")), (0, 2))
    Violation(None, Rule(RuleKind.CHECK, check="few_seats", message="direct trips are small"), (0,))
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class RuleKind(StrEnum):
    """What a rule is about."""

    MISSING = "missing"
    NOT_IN_CONTRACT = "not-in-contract"
    TYPE = "type"
    ORDER = "order"
    NULL = "null"
    UNIQUE = "unique"
    KEY = "key"
    CHECK = "check"

    @property
    def needs_no_rows(self) -> bool:
        """Whether a table without rows can violate it: it is about the columns themselves."""
        return self in (RuleKind.MISSING, RuleKind.NOT_IN_CONTRACT, RuleKind.TYPE, RuleKind.ORDER)


@dataclass(frozen=True)
class Rule:
    """One rule of a contract.

    Attributes:
        kind: What it is about.
        expected: For `TYPE`, the type of the column: integer, number, boolean, string, timestamp.
        key: For `KEY`, the columns that may not hold the same values in two rows.
        check: For `CHECK`, the name of the check: pandera's or the project's own.
        arguments: For a check of pandera, its arguments.
        message: For a check of the project's own, the message that the project gave it.
    """

    kind: RuleKind
    expected: str = ""
    key: tuple[str, ...] = ()
    check: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    message: str = ""


@dataclass(frozen=True)
class Violation:
    """One rule that a table violates.

    Attributes:
        column: The column, or None if the rule is about the whole table.
        rule: The rule.
        rows: The positions of the rows that violate it, empty if all do.
    """

    column: str | None
    rule: Rule
    rows: tuple[int, ...] = ()
