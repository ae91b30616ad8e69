"""Nothing that is called compatible is contradicted by a row: random contracts, real validation."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from baton_handoff.contracts import canonical_form
from baton_handoff.contracts.compatibility import compare
from random_contracts import NUMBERS, TEXTS, Column, accepted, columns, contract


@pytest.mark.long
@settings(
    max_examples=500,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(before=columns, after=columns)
def test_what_is_called_compatible_is_contradicted_by_no_row(
    pa: Any, before: Column, after: Column
) -> None:
    was, now = contract(pa, before), contract(pa, after)
    comparison = compare(canonical_form(was), canonical_form(now))
    if before[0] is not after[0]:
        assert comparison.breaks == ("producer", "consumer")
        return
    values = NUMBERS if before[0] is float else TEXTS
    accepted_before, legal_after = accepted(was, values), accepted(now, values)
    if accepted_before - legal_after:
        assert "producer" in comparison.breaks, (before, after)
    if legal_after - accepted_before:
        assert "consumer" in comparison.breaks, (before, after)
