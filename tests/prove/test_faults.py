"""Faults put into a project on purpose: which check catches each, and whom triage asks."""

import json
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, git, run
from tests.environment import inside

FAULTS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("faults.toml").read_text(encoding="utf-8")
)["fault"]

PEOPLE = {"data-science": "ada@example.com", "ml-engineering": "max@example.com"}

CHECKS = {
    "lint": ["ruff", "check"],
    "diff": ["handoff", "diff"],
    "API models": ["handoff", "api", "--check"],
    "unit tests": ["pytest", "-q", "-p", "no:cacheprovider", "tests/unit"],
}
"""What runs beside triage, which tries types, layers and the contract tests."""


@dataclass(frozen=True)
class Caught:
    """What was red, and whom triage asked."""

    checks: set[str]
    asked: set[str]


def try_fault(fault: dict[str, Any], project: Path, env: dict[str, str]) -> Caught:
    """Commit a fault to a branch of a project, as somebody of one side, and run every check."""
    file = project / "src/flight_delays" / fault["file"]
    text = file.read_text(encoding="utf-8")
    for old, new in fault["edits"]:
        assert old in text, f"{fault['name']}: {fault['file']} has no {old!r}"
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    git(project, "switch", "--quiet", "--create", "fault")
    whose = f"user.email={PEOPLE[fault['by']]}"
    git(project, "-c", whose, "commit", "--all", "--quiet", "--no-verify", "--message", "fault")

    base = ["--base", "main", "--format", "json"]
    said = run(["handoff", "triage", *base], project, env=env, check=False)
    assert said.returncode in (0, 1), said.stderr
    findings = [finding for finding in json.loads(said.stdout) if finding["blocks"]]
    red = {finding["evidence"][0].partition(":")[0] for finding in findings}
    for check, command in CHECKS.items():
        more = base if check == "diff" else []
        if run([*command, *more], project, env=env, check=False).returncode:
            red.add(check)
    return Caught(red, {finding["side"] or "both" for finding in findings})


@pytest.fixture(scope="module")
def agreed(workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on its main branch, with the people of both sides."""
    project = tmp_path_factory.mktemp("faults") / "project"
    shutil.copytree(workshop.project({}), project)
    settings = project / "handoff.toml"
    text = settings.read_text(encoding="utf-8")
    for side, person in PEOPLE.items():
        text = text.replace(f"{side} = []", f'{side} = ["{person}"]')
    settings.write_text(text, encoding="utf-8")
    git(project, "init", "--quiet", "--initial-branch", "main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--no-verify", "--message", "agreed")
    # Once for all: the type checker learns the libraries.
    run(["handoff", "triage", "--base", "main"], project, env=inside(environment, project))
    return project


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["name"])
def test_a_fault_is_caught_where_the_table_says(
    fault: dict[str, Any], agreed: Path, environment: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(agreed, project)
    caught = try_fault(fault, project, inside(environment, project))
    assert (sorted(caught.checks), sorted(caught.asked)) == (fault["caught"], fault["asked"])


def test_every_break_of_what_was_agreed_is_caught() -> None:
    assert [fault["name"] for fault in FAULTS if fault["contract"] and not fault["caught"]] == []
