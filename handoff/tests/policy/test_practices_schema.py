"""The schema that editors read and the engine accept the same settings."""

import json
import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from baton_handoff.config.project import find_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.practices import registry
from baton_handoff.policy.practices.practice import Practice
from kept_project import OWN, SETTINGS
from published_schemas import settings_schema

FILE = registry.SHIPPED.with_suffix(".schema.json")
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
    stated = settings_schema()
    jsonschema_rs.meta.validate(stated)
    return jsonschema_rs.validator_for(stated)


def test_the_published_schema_is_generated_from_the_models() -> None:
    text = json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("GOLDEN") == "write":
        FILE.write_text(text, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == text


def reads(root: Path, text: str) -> bool:
    """True if the engine can use these settings."""
    (root / "handoff.toml").write_text(text, encoding="utf-8")
    try:
        registry.registry_of(find_project(root))
    except HandoffError:
        return False
    return True


def judges(schema: jsonschema_rs.Validator, text: str) -> bool:
    """True if the schema accepts them."""
    return bool(
        schema.is_valid(json.loads(json.dumps(tomllib.loads(text), default=date.isoformat)))
    )


@pytest.mark.parametrize("text", GOOD)
def test_the_schema_accepts_settings_that_the_engine_accepts(
    tmp_path: Path, schema: jsonschema_rs.Validator, text: str
) -> None:
    assert reads(tmp_path, SETTINGS + text)
    assert judges(schema, SETTINGS + text)


@pytest.mark.parametrize("text", BAD)
def test_the_schema_refuses_settings_that_the_engine_refuses(
    tmp_path: Path, schema: jsonschema_rs.Validator, text: str
) -> None:
    text = text + SETTINGS if text.startswith("practices") else SETTINGS + text
    assert not reads(tmp_path, text)
    assert not judges(schema, text)


def test_the_practices_of_the_standards_keep_the_schema(schema: jsonschema_rs.Validator) -> None:
    text = registry.SHIPPED.read_text(encoding="utf-8")
    assert text.startswith("#:schema ./practices.schema.json\n")
    stated: dict[str, Any] = tomllib.loads(text)
    schema.validate(stated)
    del stated["practices"][0]["why"]
    assert not schema.is_valid(stated)


def test_each_practice_of_the_standards_states_every_key() -> None:
    stated = tomllib.loads(registry.SHIPPED.read_text(encoding="utf-8"))
    optional = {"baseline", "brought", "enforced", "stated"}
    for practice in stated["practices"]:
        assert set(practice) | optional == set(Practice.model_fields), practice["name"]
