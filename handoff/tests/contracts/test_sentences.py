"""Rules and changes are rendered as plain sentences."""

from types import ModuleType
from typing import Any

import pytest

from baton_handoff.contracts import Contract, canonical_form
from baton_handoff.contracts.changes import ChangeKind, ContractChange, Direction
from baton_handoff.contracts.compatibility import compare
from baton_handoff.contracts.sentences import change_text, column_rules, table_rules
from contract_changes import checked, contract


def said(pa: ModuleType, kind: type, **rules: Any) -> list[str]:
    """The rules of a column in words."""
    stated = {"__annotations__": {"x": kind}, "x": pa.Field(**rules), "__module__": __name__}
    contract = type("Stated", (pa.DataFrameModel,), stated)
    return [str(rule) for rule in column_rules(canonical_form(contract)["columns"]["x"])]


@pytest.mark.parametrize(
    ("kind", "rules", "words"),
    [
        (float, {}, []),
        (float, {"ge": 0, "le": 100}, ["between 0 and 100"]),
        (float, {"in_range": {"min_value": 0, "max_value": 0.5}}, ["between 0 and 0.5"]),
        (float, {"gt": 0, "le": 5000}, ["more than 0, at most 5000"]),
        (float, {"ge": 0, "lt": 24}, ["at least 0, less than 24"]),
        (float, {"ge": 7, "le": 7}, ["exactly 7"]),
        (float, {"ge": 1}, ["at least 1"]),
        (float, {"lt": 1}, ["less than 1"]),
        (int, {"gt": 0, "lt": 10}, ["between 1 and 9"]),
        (str, {"isin": ["b", "a"]}, ["one of a, b"]),
        (str, {"notin": ["b", "a"]}, ["none of a, b"]),
        (str, {"str_matches": "^[A-Z]{3}$"}, ["text that matches ^[A-Z]{3}$"]),
        (str, {"str_startswith": "N"}, ["text that begins with N"]),
        (
            str,
            {"str_length": {"min_value": 2, "max_value": 3}},
            ["text of between 2 and 3 characters"],
        ),
        (int, {"unique": True}, ["unique"]),
        (int, {"ge": 1, "coerce": True}, ["at least 1", "converted to this type"]),
        (int, {"ge": 1, "raise_warning": True}, ["draft, only a warning: at least 1"]),
    ],
)
def test_a_rule_is_rendered_in_words(
    pa: ModuleType, kind: type, rules: dict[str, Any], words: list[str]
) -> None:
    assert said(pa, kind, **rules) == words


def test_the_values_of_a_list_are_separate_from_its_text(trip: Contract) -> None:
    (rule,) = column_rules(canonical_form(trip)["columns"]["town"])
    assert (rule.text, rule.values) == ("one of", ("Bonn", "Ulm"))


def test_a_custom_rule_is_rendered_by_its_message_or_its_name(trip: Contract) -> None:
    form = canonical_form(trip)
    sentences = {str(check.name): check.error for check in trip.to_schema().checks}
    others = ["each combination of seats, town may occur once", "other columns are refused"]
    assert sorted(map(str, table_rules(form, sentences))) == [
        "direct trips have few seats",
        *others,
    ]
    assert sorted(map(str, table_rules(form))) == [others[0], "few seats", others[1]]


FRESH = {"source": "def rule(): ...", "constants": {"FRESH_FOR": "6:00:00"}}


def at_most_nine(cls: Any, data: Any) -> Any:
    return data <= 9


def at_most_ten(cls: Any, data: Any) -> Any:
    limit = 9
    return data.le(limit)


at_most_ten.__name__ = "at_most_nine"


def test_a_refactored_check_is_one_short_line(pa: Any) -> None:
    """Its source is in the form of the contract, and in no sentence."""
    forms = [
        canonical_form(contract(pa, checked(one), "input")) for one in (at_most_nine, at_most_ten)
    ]
    (change,) = compare(*forms).changes
    text = change_text(change)
    assert text.endswith("rule 'at_most_nine' changed: its code")
    assert len(text) < 100


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (
            FRESH,
            {**FRESH, "constants": {"FRESH_FOR": "12:00:00"}},
            "`FRESH_FOR` 6:00:00 → 12:00:00",
        ),
        (FRESH, {**FRESH, "source": "def rule(): pass"}, "its code"),
        (
            {**FRESH, "helpers": {"late": {"source": "a", "constants": {"LIMIT": 1}}}},
            {**FRESH, "helpers": {"late": {"source": "b", "constants": {"LIMIT": 2}}}},
            "`LIMIT` 1 → 2, its code",
        ),
        ({"pattern": "^a"}, {"pattern": "^b"}, "`pattern` ^a → ^b"),
    ],
    ids=["constant", "code", "helper", "argument"],
)
def test_a_changed_check_is_rendered_by_what_changed_in_it(
    before: dict[str, Any], after: dict[str, Any], text: str
) -> None:
    change = ContractChange(
        "Flight", None, ChangeKind.CHECK_CHANGED, Direction.UNKNOWN, "is_fresh", before, after
    )
    assert change_text(change) == f"Flight: rule 'is_fresh' changed: {text}"
