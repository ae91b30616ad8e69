"""Injected faults: the check that catches each, and the side that triage addresses."""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.baton import Workshop, git, run
from tests.environment import inside
from tests.project import Project, registered
from tests.slices import sampled

Fault: TypeAlias = dict[str, Any]

FAULTS: list[Fault] = tomllib.loads(
    Path(__file__).with_name("faults.toml").read_text(encoding="utf-8")
)["fault"]

PEOPLE = {"data-science": "ada@example.com", "ml-engineering": "max@example.com"}
PYTEST = ["pytest", "-q", "-p", "no:cacheprovider"]
BASE = ["--base", "main", "--format", "json"]


def commit_fault(fault: Fault, project: Path) -> None:
    """Commit a fault to a branch of a project, as an author of one side."""
    file = project / "src/flight_delays" / fault["file"]
    text = file.read_text(encoding="utf-8")
    for old, new in fault["edits"]:
        assert old in text, f"{fault['name']}: {fault['file']} has no {old!r}"
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    git(project, "switch", "--quiet", "--create", "fault")
    author_option = f"user.email={PEOPLE[fault['by']]}"
    git(
        project,
        "-c",
        author_option,
        "commit",
        "--all",
        "--quiet",
        "--no-verify",
        "--message",
        "fault",
    )


def checks_before_training(fault: Fault, project: Project) -> tuple[set[str], set[str]]:
    """Return the checks that fail before training, and the sides that triage addresses."""
    result = project("handoff", "triage", *BASE, check=False)
    assert result.returncode in (0, 1), result.stderr
    findings = [finding for finding in json.loads(result.stdout) if finding["blocks"]]
    # Triage itself runs types, layers and contract tests; a finding shows one failure of each.
    evidence = {line.partition(":")[0] for finding in findings for line in finding["evidence"]}
    failing = evidence & {"types", "layers", "contract tests"}
    checks = {"lint": ["ruff", "check"], "unit tests": [*PYTEST, "tests/unit"]}
    if fault["file"].startswith("contracts/"):
        checks |= {
            "diff": ["handoff", "contract", "diff", *BASE],
            "API models": ["handoff", "check", "--only", "api"],
        }
    failing |= {name for name, check in checks.items() if project(*check, check=False).returncode}
    if not failing and project(*PYTEST, "tests/fuzz", check=False).returncode:
        failing.add("fuzzing")
    return failing, {finding["side"] or "both" for finding in findings}


def checks_after_training(project: Project) -> set[str]:
    """Return the checks that fail when a model is trained, registered and served."""
    if project("handoff", "pipeline", check=False).returncode:
        return {"pipeline"}
    project("handoff", "model", "register")
    return (
        {"acceptance"} if project("handoff", "model", "accept", check=False).returncode else set()
    )


@pytest.fixture(scope="module")
def agreed(workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project on its main branch, with the members of both sides."""
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
    # Fill the type checker's cache once for all tests.
    run(["handoff", "triage", *BASE], project, env=inside(environment, project))
    return project


def trained(workshop: Workshop, environment: Path, folder: Path) -> Project:
    """Return a project whose pipeline has run, with a registry of its own."""
    original = registered(workshop, environment, "pandas").folder
    registry = shutil.ignore_patterns("mlflow.db", "mlartifacts")
    return Project(shutil.copytree(original, folder, symlinks=True, ignore=registry), environment)


@pytest.mark.parametrize("fault", sampled("faults", FAULTS, 12), ids=lambda fault: fault["name"])
def test_the_expected_check_catches_each_fault(
    fault: Fault, agreed: Path, workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    project = Project(shutil.copytree(agreed, tmp_path / "project"), environment)
    commit_fault(fault, project.folder)
    failing, addressed = checks_before_training(fault, project)
    if not failing:
        project = trained(workshop, environment, tmp_path / "trained")
        commit_fault(fault, project.folder)
        failing = checks_after_training(project)
    assert (sorted(failing), sorted(addressed)) == (fault["caught"], fault["addressed"])


def test_every_contract_violation_is_caught() -> None:
    assert [fault["name"] for fault in FAULTS if fault["contract"] and not fault["caught"]] == []
