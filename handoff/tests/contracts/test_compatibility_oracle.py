"""The judge agrees with an oracle, except in what is listed here, each with its reason.

The oracle is jsonsubschema: what a contract asks of one row is translated into JSON Schema.
"""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pandera.pandas as pa
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator  # type: ignore[import-untyped]

from baton_handoff.contracts import canonical_form
from baton_handoff.contracts.compatibility import compare
from baton_handoff.contracts.constraints import Form
from contract_changes import CHANGES
from contract_changes import contract as labelled
from random_contracts import NUMBERS, TEXTS, Column, accepted, contract, of_numbers, of_texts

pytestmark = pytest.mark.long

Schema: TypeAlias = dict[str, Any]
Forms: TypeAlias = tuple[Form, Form]
"""A contract before and after a change."""

LETTERS = "[abA]"
"""What a text of a certain length is made of: with more, the oracle is lost among patterns."""

Answer: TypeAlias = dict[str, bool]
"""Whether a change tightens, and whether it loosens."""

CANNOT_SAY = {
    **dict.fromkeys(
        ["made unique", "no longer unique", "a key", "no key", "a longer key", "a shorter key"],
        "it is about several rows",
    ),
    "another key": "it is about several rows",
    **dict.fromkeys(["order required", "order free", "another order"], "an object has no order"),
    **dict.fromkeys(
        ["coerced", "no longer coerced", "the table coerced", "a default", "invalid rows dropped"],
        "it is about what becomes of a row, not about which is accepted",
    ),
    **dict.fromkeys(
        ["a check added", "a check removed", "another check"], "a rule written in Python"
    ),
    **dict.fromkeys(
        ["a check of the table added", "another check of the table"], "a rule written in Python"
    ),
}
"""The labelled changes that JSON Schema has no words for, and why."""


DIFFER = {
    "another type": "from integer to number, as below",
    "strict by leaving out": "a row with more columns is accepted now, but they are dropped: the"
    " judge does not know what that breaks",
}
"""The labelled changes that the oracle judges otherwise, and why."""


@dataclass(frozen=True)
class Difference:
    """Something in which judge and oracle differ.

    Attributes:
        reason: Why, and who is right.
        before: A column in which they do.
        after: What it becomes.
        explains: Whether it is the reason for a difference between two states of a column.
        value: Where the oracle errs, the proof: one of the two states accepts it, the other not.
    """

    reason: str
    before: Column
    after: Column
    explains: Callable[[Form, Form], bool]
    value: float | None = None


def of_types(one: str, other: str) -> Callable[[Form, Form], bool]:
    return lambda before, after: (before["type"], after["type"]) == (one, other)


def several_rules(before: Form, after: Form) -> bool:
    kinds = {kind(check) for form in (before, after) for check in form["checks"]}
    # Where values are listed, the judge tries each.
    tried = "isin" in kinds and kinds <= {"isin", "notin", "range", "str_length"}
    return len(kinds) > 1 and not tried


def other_pattern(before: Form, after: Form) -> bool:
    return all("str_matches" in map(kind, form["checks"]) for form in (before, after))


def open_end_combined(before: Form, after: Form) -> bool:
    said = [json.dumps(value(form)) for form in (before, after)]
    return any(": true" in one and ("allOf" in one or '"not"' in one) for one in said)


def fraction_forbidden(before: Form, after: Form) -> bool:
    return any(
        not float(number).is_integer()
        for form in (before, after)
        for check in form["checks"]
        for number in check.get("forbidden_values", [])
        if isinstance(number, float)
    )


DIFFERENCES = {
    "integer becomes number": Difference(
        "An integer is a number in JSON; pandera refuses a column of integers where floats are"
        " wanted, unless it coerces.",
        (int, {}),
        (float, {}),
        of_types("integer", "number"),
    ),
    "number becomes integer": Difference(
        "The same in the other direction: nothing that was accepted is accepted still.",
        (float, {}),
        (int, {}),
        of_types("number", "integer"),
    ),
    "rules of several kinds": Difference(
        "Where no values are listed, or a pattern stands beside them, the judge takes each kind of"
        " rule by itself, and so calls more a break than the oracle: what begins with ab begins"
        " with a as well.",
        (str, {"isin": ["ab"]}),
        (str, {"isin": ["ab"], "str_startswith": "a"}),
        several_rules,
    ),
    "another pattern": Difference(
        "The judge does not compare patterns: another one is unknown, which counts as a break.",
        (str, {"str_matches": "^ab"}),
        (str, {"str_matches": "^a"}),
        other_pattern,
    ),
    "an open end among other rules": Difference(
        "jsonsubschema 0.0.8 forgets that an end is open where it has to combine rules.",
        (float, {"ge": 0.0}),
        (float, {"ge": 0.0, "gt": 0.0}),
        open_end_combined,
        value=0.0,
    ),
    "a forbidden fraction": Difference(
        "jsonsubschema 0.0.8 forgets values that are forbidden, unless they are whole numbers.",
        (float, {}),
        (float, {"notin": [0.5]}),
        fraction_forbidden,
        value=0.5,
    ),
}


def test_the_comparison_of_a_labelled_change_agrees_with_the_oracle() -> None:
    forms = [states(name) for name in CHANGES if name not in CANNOT_SAY]
    judged, said = [judges(pair) for pair in forms], oracle(forms)
    names = [name for name in CHANGES if name not in CANNOT_SAY]
    differ = [name for name, one, other in zip(names, judged, said, strict=True) if one != other]
    assert differ == list(DIFFER)


@pytest.mark.parametrize("name", CANNOT_SAY)
def test_json_schema_cannot_say_what_the_judge_sees(name: str) -> None:
    before, after = states(name)
    assert row(before) == row(after)
    assert compare(before, after).changes


def test_every_listed_difference_is_one() -> None:
    pairs = {name: (d.before, d.after) for name, d in DIFFERENCES.items()}
    forms = [forms_of(pair) for pair in pairs.values()]
    answers = zip(pairs, forms, oracle(forms), strict=True)
    assert [name for name, pair, said in answers if judges(pair) == said] == []


@pytest.mark.parametrize("name", [name for name, d in DIFFERENCES.items() if d.value is not None])
def test_a_row_proves_that_the_oracle_errs(name: str) -> None:
    difference = DIFFERENCES[name]
    before, after = (
        accepted(contract(pa, column), [difference.value])
        for column in (difference.before, difference.after)
    )
    assert before != after


def test_the_comparison_of_random_changes_agrees_with_the_oracle() -> None:
    pairs = random_pairs(500)
    forms = [forms_of(pair) for pair in pairs]
    differ = 0
    for pair, both, said in zip(pairs, forms, oracle(forms), strict=True):
        before, after = (form["columns"]["value"] for form in both)
        judged = judges(both)
        reasons = [d for d in DIFFERENCES.values() if d.explains(before, after)]
        differ += judged != said
        for direction in ("tightens", "loosens"):
            if said[direction] and not judged[direction]:
                # A break that the judge does not see: none may be.
                assert any(d.value is not None for d in reasons), pair
            elif judged[direction] and not said[direction]:
                assert reasons, pair
    assert differ < len(pairs) / 10


def random_pairs(number: int) -> list[tuple[Column, Column]]:
    """Columns before and after a change, none of which refuses everything."""
    found: list[tuple[Column, Column]] = []

    @settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changed_columns())
    def collect(pair: tuple[Column, Column]) -> None:
        if not all(map(possible, pair)):
            reject()
        found.append(pair)

    collect()
    return found


@st.composite
def changed_columns(draw: st.DrawFn) -> tuple[Column, Column]:
    """Two columns of one type that differ in everything, or in a rule or two."""
    kind, rules = draw(st.sampled_from([(float, of_numbers), (str, of_texts)]))
    before, after = draw(rules), draw(rules)
    if draw(st.booleans()):
        kept = {name: rule for name, rule in before.items() if draw(st.integers(0, 3))}
        after = {**kept, **dict(list(after.items())[:1])}
    # Several rows are not JSON Schema's.
    return tuple((kind, {k: v for k, v in c.items() if k != "unique"}) for c in (before, after))  # type: ignore[return-value]


def possible(column: Column) -> bool:
    """Whether a column accepts a value of those we try; the empty text is none to the oracle."""
    form = canonical_form(contract(pa, column))["columns"]["value"]
    accepts = Draft4Validator(value(form)).is_valid
    values = NUMBERS if form["type"] == "number" else TEXTS
    return any(accepts(tried) for tried in values if tried not in (None, ""))


def states(name: str) -> Forms:
    """A labelled change in canonical form."""
    before, after, _ = CHANGES[name]
    first, second = (canonical_form(labelled(pa, s, "input")) for s in (before, after))
    return first, second


def forms_of(pair: tuple[Column, Column]) -> Forms:
    first, second = (canonical_form(contract(pa, column)) for column in pair)
    return first, second


def judges(forms: Forms) -> Answer:
    breaks = compare(*forms).breaks
    return {"tightens": "producer" in breaks, "loosens": "consumer" in breaks}


def oracle(forms: Sequence[Forms]) -> list[Answer]:
    """What the oracle says of every change."""
    said = subprocess.run(
        ["uv", "run", "--quiet", "--script", Path(__file__).with_name("oracle.py")],
        input=json.dumps([[row(before), row(after)] for before, after in forms]),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    answers: list[Answer] = json.loads(said.stdout)
    return answers


def row(form: Form) -> Schema:
    """What a contract asks of one row, as a JSON Schema."""
    columns = form["columns"]
    return {
        "type": "object",
        "properties": {name: value(column) for name, column in columns.items()},
        "required": [name for name, column in columns.items() if column["required"]],
        "additionalProperties": form["strict"] is not True,
    }


def value(column: Form) -> Schema:
    of_type = {"type": column["type"]}
    rules: list[Schema] = [of_type]
    for check in column["checks"]:
        # A rule written in Python can't be said, and one that only warns refuses nothing.
        if "source" in check:
            continue
        said = rule(**check)
        if rules[-1].keys() & said.keys():
            rules.append(of_type)
        rules[-1] = rules[-1] | said
    one = {"allOf": rules} if len(rules) > 1 else rules[0]
    return {"anyOf": [one, {"type": "null"}]} if column["nullable"] else one


def rule(name: str, **said: Any) -> Schema:
    """One rule of pandera's in the words of JSON Schema, draft 4."""
    low, high = said.get("min_value"), said.get("max_value")
    at_least = {"minimum": low, "exclusiveMinimum": not said.get("include_min", "equal" in name)}
    at_most = {"maximum": high, "exclusiveMaximum": not said.get("include_max", "equal" in name)}
    words: dict[str, Callable[[], Schema]] = {
        "isin": lambda: {"enum": sorted(set(said["allowed_values"]))},
        "notin": lambda: {"not": {"enum": sorted(set(said["forbidden_values"]))}},
        # From the start of the text, which JSON Schema leaves to the pattern.
        "str_matches": lambda: {"pattern": "^" + said["pattern"].removeprefix("^")},
        "str_startswith": lambda: {"pattern": f"^{said['string']}"},
        "str_length": lambda: {
            "pattern": f"^{LETTERS}{{{low or 0},{'' if high is None else high}}}$"
        },
        "in_range": lambda: at_least | at_most,
        "greater_than": lambda: at_least,
        "greater_than_or_equal_to": lambda: at_least,
        "less_than": lambda: at_most,
        "less_than_or_equal_to": lambda: at_most,
    }
    return words[name]()


def kind(check: Form) -> str:
    """What a rule is about: all that state a range are about the same."""
    return "range" if {"minimum", "maximum"} & rule(**check).keys() else str(check["name"])
