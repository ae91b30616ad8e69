"""A source of which everything is said, ways to spoil it, and code that reads it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import yaml

from baton_handoff.config.project import Project
from baton_handoff.lineage.sources.checks import findings
from baton_handoff.lineage.sources.usage import source_usage
from baton_handoff.reporting.findings import Finding

Said: TypeAlias = dict[str, Any]
Write: TypeAlias = Callable[..., None]

CODE = "import pandas as pd\n\npd.read_csv('data/prices.csv')\n"
WORKAROUND = "# workaround: prices#negative\n"


def own(said: Said) -> Said:
    """Its custom properties, to be changed."""
    return {entry["property"]: entry for entry in said["customProperties"]}


def good() -> Said:
    """A source with everything that can be said of one."""
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


def writing(project: Project) -> Write:
    """Writes the source `prices`, and code that reads it."""

    def written(said: Mapping[str, Any], code: str = CODE) -> None:
        folder = project.root / "data/sources"
        folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(said, sort_keys=False)
        (folder / "prices.odcs.yaml").write_text(text, encoding="utf-8")
        (project.source / "training.py").write_text(code, encoding="utf-8")

    return written


def found(project: Project) -> list[Finding]:
    return findings(source_usage(project), binding=True)


def nobody(said: Said) -> None:
    del said["team"]


def no_contract(said: Said) -> None:
    said["schema"][0]["quality"][0]["implementation"] = "contracts:Price"


def unofficial_for_ever(said: Said) -> None:
    own(said)["official"]["value"] = False
    said["customProperties"].append({"property": "replacement", "value": "the shop's API"})


def unofficial_until(said: Said) -> None:
    own(said)["official"]["value"] = False
    said["slaProperties"].append({"property": "endOfLife", "value": "2999-12-31"})


def planned(said: Said, until: str = "2999-12-31") -> None:
    unofficial_for_ever(said)
    said["slaProperties"].append({"property": "endOfLife", "value": until})


def ended(said: Said) -> None:
    said["slaProperties"].append({"property": "endOfLife", "value": "2020-12-31"})


def unsaid(said: Said) -> None:
    said["customProperties"] = [own(said)["knownProblems"], {"property": "layer", "value": "gold"}]


def no_licence(said: Said) -> None:
    del said["description"]


def fixed(said: Said) -> None:
    own(said)["knownProblems"]["value"][0]["status"] = "fixed"


def elsewhere(said: Said) -> None:
    said["servers"][0]["path"] = "data/towns.csv"


def same(_: Said) -> None:
    pass
