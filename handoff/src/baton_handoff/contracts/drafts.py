"""Drafted rules of a contract: they warn and refuse nothing, until a person confirms them.

A rule is a draft while its `Field` has pandera's `raise_warning=True`; to confirm it, delete that.
pandera's own warnings quote values of the rows. So `canonical` silences them, and `check` reports
drafts.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import narwhals as nw

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.contracts.constraints import Constraints
from baton_handoff.contracts.frames import Frame, is_missing
from baton_handoff.contracts.violations import Rule, RuleKind, Violation

_SHORT = 100
"""Rows up to which a loop is faster than the engine."""


class Drafts:
    """The drafted ranges and categories of a contract's columns."""

    def __init__(self, contract: Contract) -> None:
        self._rules = [
            (name, _rule(check), Constraints.of({"type": column["type"], "checks": [check]}))
            for name, column in canonical_form(contract)["columns"].items()
            for check in column.get("drafts", ())
        ]

    def in_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[Violation]:
        """Return a violation for each draft that rows of plain values are outside of."""
        found = []
        for name, rule, allowed in self._rules:
            values = [row.get(name) for row in rows]
            if outside := tuple(n for n, v in enumerate(values) if _is_outside(v, allowed)):
                found.append(Violation(name, rule, outside))
        return found

    def in_table(self, table: Frame) -> list[Violation]:
        """Return a violation for each draft that rows of a table are outside of."""
        if not self._rules:
            return []
        frame = nw.from_native(table, eager_only=True)
        frame = frame.select(dict.fromkeys(name for name, _, _ in self._rules))
        if len(frame) <= _SHORT:
            return self.in_rows(list(frame.iter_rows(named=True)))
        found = []
        for name, rule, allowed in self._rules:
            distinct = frame[name].unique().to_list()
            if outside := [value for value in distinct if _is_outside(value, allowed)]:
                rows = frame[name].is_in(outside).arg_true().to_list()
                found.append(Violation(name, rule, tuple(rows)))
        return found


@cache
def drafts_of(contract: Contract) -> Drafts:
    """Return the drafts of a contract; once, because the canonical form takes milliseconds."""
    return Drafts(contract)


def _is_outside(value: Any, allowed: Constraints) -> bool:
    return not (is_missing(value) or allowed.accepts(value))


def _rule(check: Mapping[str, Any]) -> Rule:
    arguments = {key: value for key, value in check.items() if key != "name"}
    return Rule(RuleKind.CHECK, check=check["name"], arguments=arguments)
