"""A new project is green at push whatever its level, and says what is open at the handoff."""

import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop, commit, git, owners, render, run, update
from tests.project import Project
from tests.test_pairwise import CHECKS, tasks

pytestmark = pytest.mark.slow

VERSION = "v1.0.0"
STAGES = ("push", "handoff", "promotion")


@pytest.fixture(scope="module", params=["flights", "blank"])
def fresh(
    workshop: Workshop,
    environment: Path,
    types_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Project:
    """A project as set-up leaves it, checked and tested."""
    folder = tmp_path_factory.mktemp("fresh") / "project"
    render(workshop.releases(), folder, {"starter": request.param}, VERSION)
    project = Project(folder, environment)
    project.env |= {"MYPY_CACHE_DIR": str(types_cache), "CI": ""}
    run(["uv", "lock", "--quiet"], folder)
    owners(folder)
    commit(folder, "first")
    project("pre-commit", "install")
    for check in [*CHECKS, "test"]:
        project(*shlex.split(tasks(folder)[check]))
    return project


@pytest.fixture
def project(fresh: Project) -> Iterator[Project]:
    """The same, and as it was afterwards."""
    begun = git(fresh.folder, "rev-parse", "HEAD").strip()
    evidence = fresh.folder / ".handoff/evidence"
    kept = shutil.copytree(evidence, fresh.folder / ".handoff/kept")
    yield fresh
    git(fresh.folder, "reset", "--quiet", "--hard", begun)
    git(fresh.folder, "clean", "--quiet", "--force", "-d")
    shutil.rmtree(evidence)
    kept.rename(evidence)


def at_level(project: Project, level: int) -> None:
    """Another level, chosen by an update; the owners' file follows as the update says."""
    update(project.folder, {"level": level}, VERSION)
    owners(project.folder)


def said(project: Project, *options: str) -> Any:
    """What the command says to programs; it ends as it says."""
    done = project("handoff", "status", "--format", "json", *options, check=False)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert done.returncode == bool(found["blocking"][found["stage"]])
    return found


def blocking(project: Project, stage: str, *options: str) -> set[tuple[str, str]]:
    """What blocks at a stage: practice and side."""
    found = said(project, "--stage", stage, *options)["blocking"][stage]
    return {(one["practice"], one["side"]) for one in found}


def names(found: set[tuple[str, str]]) -> set[str]:
    return {name for name, _ in found}


def open_(project: Project) -> set[str]:
    found = said(project)["outcomes"]
    return {one["practice"] for one in found if one["state"] in ("not met", "not shown")}


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_new_project_is_green_at_push_and_says_what_is_open_at_the_handoff(
    project: Project, level: int
) -> None:
    at_level(project, level)
    flights = (project.folder / "tests/golden/sources.json").exists()
    people = {"proper-editor", "tools-introduced"}
    candidate = {"candidate-traceable", "compared-with-baselines", "judged-by-subgroup"}
    data = {"pipeline-current", "data-validated"}
    begun = set() if flights else {"contracts-stated", "sources-described"}
    musts = people | candidate | data | begun
    later = {"alerts-reach-somebody", "acceptance-passed"}
    expected = {
        0: (set(), set()),
        1: (musts, musts | later),
        2: (musts | {"early-work"}, musts | later | {"early-work", "performance-profiled"}),
    }
    assert blocking(project, "push") == set()
    assert (
        names(blocking(project, "handoff")),
        names(blocking(project, "promotion")),
    ) == expected[level]
    assert open_(project) == musts | later | {"early-work", "performance-profiled"}


PRACTICE_OF = {
    "_format": "formatted",
    "_lint": "linted",
    "types": "typed",
    "layers": "layers-kept",
    "_api": "api-current",
    "_features": "features-inside",
    "_owners": "contracts-owned",
    "_sources": "sources-described",
}
"""What each command of `poe check` looks at."""


def test_the_next_level_asks_for_what_was_said_beforehand_and_for_nothing_else(
    project: Project,
) -> None:
    assert [*PRACTICE_OF] == CHECKS
    # Something that level 1 lets pass at a push.
    (project.folder / "tool.py").write_text("import os\nx  =  1\n", encoding="utf-8")
    commit(project.folder, "in a hurry")
    for check in ("_format", "_lint"):
        assert project(*shlex.split(tasks(project.folder)[check]), check=False).returncode == 1
    assert blocking(project, "push") == set()
    beforehand = {stage: blocking(project, stage, "--level", "2") for stage in STAGES}
    assert names(beforehand["push"]) == {"formatted", "linted", "contracts-owned"}

    update(project.folder, {"level": 2}, VERSION)
    assert git(project.folder, "diff", "--name-only").split() == [".copier-answers.yml"]
    commit(project.folder, "level 2")
    checks = tasks(project.folder)
    red = {c for c in CHECKS if project(*shlex.split(checks[c]), check=False).returncode}
    assert {PRACTICE_OF[check] for check in red} == names(beforehand["push"])
    assert {stage: blocking(project, stage) for stage in STAGES} == beforehand
    for judge in ("diff", "done"):
        project("handoff", judge, "--base", "HEAD~1")

    project("handoff", "owners")
    project("ruff", "format")
    project("ruff", "check", "--fix")
    (project.folder / "tool.py").unlink()  # there was nothing in it that anybody uses
    for check in ("_format", "_lint", "_owners"):
        project(*shlex.split(checks[check]))
    assert blocking(project, "push") == set()


def test_status_changes_nothing(project: Project) -> None:
    before = git(project.folder, "status", "--porcelain")
    project("handoff", "status")
    assert git(project.folder, "status", "--porcelain") == before
