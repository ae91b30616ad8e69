"""The JSON schemas that the engine ships, made from its models; `GOLDEN=write` writes the files.

practices.schema.json is for editors of handoff.toml and practices.toml, status.schema.json for
readers of `handoff status --format json`.
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
from baton_handoff.policy.rendering.json_report import Status

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


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
        "$schema": _DIALECT,
        "title": "Settings of a project, and practices of the standards",
        "if": {"required": ["sections"]},
        "then": references[PracticesToml, "validation"],
        "else": references[ProjectToml, "validation"],
        **definitions,
    }


def status_schema() -> dict[str, Any]:
    """The schema of `handoff status --format json`."""
    return {"$schema": _DIALECT, **Status.model_json_schema(mode="serialization")}
