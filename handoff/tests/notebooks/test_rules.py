"""The rules of a scan: each finds its bad examples, and nothing in its good ones."""

import pytest

from baton_handoff.notebooks.rules import all_rules
from baton_handoff.notebooks.scan import Known, finding, scan
from written_notebooks import notebook

EXAMPLES = [
    pytest.param(rule.name, text, wanted, id=f"{rule.name}-{wanted}-{number}")
    for rule in all_rules().values()
    for wanted, texts in (("bad", rule.bad), ("good", rule.good))
    for number, text in enumerate(texts)
]


@pytest.mark.parametrize(("name", "text", "wanted"), EXAMPLES)
def test_a_rule_finds_its_bad_examples_only(name: str, text: str, wanted: str) -> None:
    rule = all_rules()[name]
    places = scan([notebook(text)], Known(), with_ruff=bool(rule.ruff))
    found = [place for place in places if place.rule.name == name]
    assert len(found) == (1 if wanted == "bad" else 0)
    for place in found:
        one = finding(place, "data-science", blocks=False)
        assert one.cell
