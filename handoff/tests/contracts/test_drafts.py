"""A drafted rule warns and refuses nothing; without the marker it refuses."""

import logging
from typing import Any

import pytest
from pydantic import ValidationError

from baton_handoff.contracts import Contract, ContractViolation, canonical_form, check, from_rows
from baton_handoff.contracts.compatibility import compare
from baton_handoff.contracts.drafts import drafts_of
from baton_handoff.contracts.fast_validation import FastValidation
from baton_handoff.contracts.row_models import api_source, columns_checked_by_row
from baton_handoff.contracts.sentences import column_rules
from generated_code import row_model


def guests(pa: Any, **marker: bool) -> Contract:
    class Guests(pa.DataFrameModel):
        age: int = pa.Field(ge=0, le=60, **marker)
        town: str = pa.Field(isin=["Bonn", "Ulm"], nullable=True, **marker)

    contract: Contract = Guests
    return contract


@pytest.fixture
def drafted(pa: Any) -> Contract:
    return guests(pa, raise_warning=True)


INSIDE: dict[str, Any] = {"age": 60, "town": None}
OLDER: dict[str, Any] = {"age": 61, "town": "Bonn"}
ELSEWHERE: dict[str, Any] = {"age": 5, "town": "Köln"}


def test_a_value_outside_a_draft_is_accepted_and_logged_without_the_value(
    drafted: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(check(drafted, from_rows(drafted, [INSIDE, OLDER, ELSEWHERE]))) == 3
    (message,) = caplog.messages
    assert "column 'age' must be at most 60 (row 1)" in message
    assert "column 'town' must be one of Bonn, Ulm (row 2)" in message
    assert "61" not in message
    assert "Köln" not in message


def test_rows_within_the_drafts_are_not_mentioned(
    drafted: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    check(drafted, from_rows(drafted, [INSIDE]))
    assert caplog.messages == []


def test_long_tables_and_short_ones_are_judged_alike(drafted: Contract) -> None:
    rows = [INSIDE, OLDER, ELSEWHERE] * 50
    drafts = drafts_of(drafted)
    in_rows = {(item.column, item.rows) for item in drafts.in_rows(rows)}
    assert {(item.column, item.rows) for item in drafts.in_table(from_rows(drafted, rows))} == (
        in_rows
    )
    assert len(in_rows) == 2


@pytest.mark.parametrize("row", [OLDER, ELSEWHERE], ids=["a bound", "a category"])
def test_a_confirmed_draft_refuses(pa: Any, row: dict[str, Any]) -> None:
    confirmed = guests(pa)
    with pytest.raises(ContractViolation):
        check(confirmed, from_rows(confirmed, [row]))
    with pytest.raises(ValidationError):
        row_model(confirmed).model_validate(row)


@pytest.mark.parametrize("row", [INSIDE, OLDER, ELSEWHERE], ids=["inside", "a bound", "a category"])
def test_the_api_accepts_what_a_draft_warns_about(drafted: Contract, row: dict[str, Any]) -> None:
    row_model(drafted).model_validate(row)
    assert "Literal" not in api_source(drafted, drafted)
    assert FastValidation(drafted).accepts(from_rows(drafted, [row]))
    assert columns_checked_by_row(drafted) == {"age", "town"}


def test_a_draft_is_in_the_canonical_form_beside_the_rules_that_refuse(
    pa: Any, drafted: Contract
) -> None:
    form, confirmed = canonical_form(drafted), canonical_form(guests(pa))
    for name, column in form["columns"].items():
        assert column["checks"] == []
        assert column["drafts"] == confirmed["columns"][name]["checks"]
    changes = compare(form, confirmed).changes
    assert {change.direction.value for change in changes} == {"tightens"}
    assert {change.column for change in changes} == {"age", "town"}
    assert [str(rule) for rule in column_rules(form["columns"]["age"])] == [
        "draft, only a warning: between 0 and 60"
    ]
