"""A complete source, ways to make it incomplete, and code that reads it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import yaml

from baton_handoff.config.project import Project
from baton_handoff.lineage.sources.checks import findings
from baton_handoff.lineage.sources.usage import source_usage
from baton_handoff.reporting.findings import Finding

Content: TypeAlias = dict[str, Any]
Write: TypeAlias = Callable[..., None]

CODE = "import pandas as pd\n\npd.read_csv('data/prices.csv')\n"
WORKAROUND = "# workaround: prices#negative\n"


def properties(content: Content) -> Content:
    """Its custom properties, to be changed."""
    return {entry["property"]: entry for entry in content["customProperties"]}


def valid_source() -> Content:
    """The content of a complete source file."""
    return {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "prices",
        "version": "1.0.0",
        "status": "active",
        "description": {
            "authoritativeDefinitions": [{"type": "license", "url": "https://a.example/terms"}]
        },
        "authoritativeDefinitions": [{"type": "origin", "url": "https://a.example"}],
        "servers": [
            {"server": "here", "type": "local", "path": "data/prices.csv", "format": "csv"}
        ],
        "schema": [
            {
                "name": "prices",
                "physicalName": "shop.prices",
                "quality": [
                    {"type": "custom", "engine": "pandera", "implementation": "contracts:Trip"}
                ],
            }
        ],
        "team": {"name": "ticket office"},
        "support": [{"channel": "desk", "url": "https://a.example/desk"}],
        "slaProperties": [{"property": "frequency", "value": 1, "unit": "d"}],
        "customProperties": [
            {"property": "official", "value": True},
            {"property": "layer", "value": "bronze"},
            {
                "property": "knownProblems",
                "value": [
                    {"id": "negative", "status": "open", "description": "Some are below zero."}
                ],
            },
        ],
    }


def writer(project: Project) -> Write:
    """Writes the source `prices`, and code that reads it."""

    def written(content: Mapping[str, Any], code: str = CODE) -> None:
        folder = project.root / "data/sources"
        folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(content, sort_keys=False)
        (folder / "prices.odcs.yaml").write_text(text, encoding="utf-8")
        (project.source / "training.py").write_text(code, encoding="utf-8")

    return written


def all_findings(project: Project) -> list[Finding]:
    return findings(source_usage(project), binding=True)


def without_owner(content: Content) -> None:
    del content["team"]


def with_a_missing_contract(content: Content) -> None:
    content["schema"][0]["quality"][0]["implementation"] = "contracts:Price"


def without_end_of_life(content: Content) -> None:
    properties(content)["official"]["value"] = False
    content["customProperties"].append({"property": "replacement", "value": "the shop's API"})


def without_replacement(content: Content) -> None:
    properties(content)["official"]["value"] = False
    content["slaProperties"].append({"property": "endOfLife", "value": "2999-12-31"})


def with_a_plan(content: Content, until: str = "2999-12-31") -> None:
    without_end_of_life(content)
    content["slaProperties"].append({"property": "endOfLife", "value": until})


def past_its_end(content: Content) -> None:
    content["slaProperties"].append({"property": "endOfLife", "value": "2020-12-31"})


def without_official(content: Content) -> None:
    content["customProperties"] = [
        properties(content)["knownProblems"],
        {"property": "layer", "value": "gold"},
    ]


def without_licence(content: Content) -> None:
    del content["description"]


def with_a_fixed_problem(content: Content) -> None:
    properties(content)["knownProblems"]["value"][0]["status"] = "fixed"


def at_another_location(content: Content) -> None:
    content["servers"][0]["path"] = "data/towns.csv"


def unchanged(_: Content) -> None:
    pass
