"""The schema of practices, which editors read, and the reader judge alike."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest

from baton_handoff.config.project import find_project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.practices import registry
from baton_handoff.policy.practices.practice import STAGES, Tier
from kept_project import OWN, SETTINGS

SCHEMA = json.loads(registry.SHIPPED.with_suffix(".schema.json").read_text(encoding="utf-8"))
PARTS = SCHEMA["$defs"]
LESS = """
[[practices]]
name = "typed"
tiers = { data-science = ["would-like", "should", "must"] }
"""
GOOD = [OWN, LESS, OWN + LESS, OWN + 'stage = "push"\nsection = "tests"\n', "[monitor]\n"]
BAD = [
    OWN.replace("why", "reason"),
    OWN.replace('fix = "call somebody"\n', ""),
    OWN.replace('"Pairing"', '""'),
    OWN.replace('"Pairing"', "7"),
    OWN.replace('"must"', '"always"'),
    OWN.replace('"must"', '["must", "must"]'),
    OWN.replace("data-science", "sales"),
    OWN.replace('{ data-science = "must" }', "{}"),
    OWN.replace('{ data-science = "must" }', "7"),
    OWN.replace("acme/", ""),
    *(f'{OWN}{key} = "sales"\n' for key in ("stage", "section", "effect", "hurdle", "cheaper")),
    LESS + 'fix = "no"\n',
    LESS.replace("tiers", "tier"),
    "practices = 7\n",
]


@pytest.fixture
def schema() -> jsonschema_rs.Validator:
    jsonschema_rs.meta.validate(SCHEMA)
    return jsonschema_rs.validator_for(SCHEMA)


def reads(root: Path, text: str) -> bool:
    """Whether the package can use these settings."""
    (root / "handoff.toml").write_text(text, encoding="utf-8")
    try:
        registry.registry_of(find_project(root))
    except HandoffError:
        return False
    return True


def judges(schema: jsonschema_rs.Validator, text: str) -> bool:
    """Whether an editor has nothing to say of them."""
    return bool(
        schema.is_valid(json.loads(json.dumps(tomllib.loads(text), default=date.isoformat)))
    )


@pytest.mark.parametrize("text", GOOD)
def test_what_can_be_used_pleases_an_editor(
    tmp_path: Path, schema: jsonschema_rs.Validator, text: str
) -> None:
    assert reads(tmp_path, SETTINGS + text)
    assert judges(schema, SETTINGS + text)


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_be_used_is_marked_by_an_editor(
    tmp_path: Path, schema: jsonschema_rs.Validator, text: str
) -> None:
    text = text + SETTINGS if text.startswith("practices") else SETTINGS + text
    assert not reads(tmp_path, text)
    assert not judges(schema, text)


def test_the_practices_of_the_standards_keep_it(schema: jsonschema_rs.Validator) -> None:
    text = registry.SHIPPED.read_text(encoding="utf-8")
    assert text.startswith("#:schema ./practices.schema.json\n")
    stated: dict[str, Any] = tomllib.loads(text)
    schema.validate(stated)
    del stated["practices"][0]["effect"]
    assert not schema.is_valid(stated)


def test_it_allows_what_the_reader_allows() -> None:
    said = PARTS["practice"]["properties"]
    sections = dict.fromkeys(practice.section for practice in registry.shipped())
    assert said["section"]["enum"] == [*sections, registry.OWN]
    assert said["stage"]["enum"] == [*STAGES]
    assert PARTS["tier"]["enum"] == [*get_args(Tier)]
    assert [*PARTS["tiers"]["properties"]] == [*SIDES]
