"""The JSON schema of handoff.toml and practices.toml, with which editors complete and check them.

`GOLDEN=write pytest tests/policy/test_practices_schema.py` writes practices.schema.json.
"""

from typing import Any

from pydantic.json_schema import models_json_schema

from baton_handoff.config.settings import HandoffToml
from baton_handoff.policy.practices.practice import (
    OWN_SECTION,
    Enforce,
    OwnPractice,
    Statement,
    TightenedPractice,
)
from baton_handoff.policy.practices.registry import PracticesToml, shipped


class ProjectToml(HandoffToml):
    """The settings of a project for the command `handoff`."""

    practices: list[OwnPractice | TightenedPractice] = []  # type: ignore[assignment]
    statements: list[Statement] = []  # type: ignore[assignment]
    enforce: Enforce = Enforce()  # type: ignore[assignment]


def settings_schema() -> dict[str, Any]:
    """The schema of both files; only practices.toml has `sections`."""
    references, definitions = models_json_schema(
        [(PracticesToml, "validation"), (ProjectToml, "validation")]
    )
    sections = dict.fromkeys(practice.section for practice in shipped())
    own = definitions["$defs"]["OwnPractice"]["properties"]
    own["section"]["enum"] = [*sections, OWN_SECTION]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of a project, and practices of the standards",
        "if": {"required": ["sections"]},
        "then": references[PracticesToml, "validation"],
        "else": references[ProjectToml, "validation"],
        **definitions,
    }
