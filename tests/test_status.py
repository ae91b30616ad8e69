"""A new project is green at push whatever its level, and says what is open at the handoff."""

import json
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.baton import ROOT, Workshop, commit, git, owners, render, run
from tests.project import Project
from tests.test_pairwise import CHECKS, tasks

pytestmark = pytest.mark.slow

PRACTICES = ROOT / "template/standards/handoff/src/baton_handoff/practices/practices.toml"

GROWN = {
    "look.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "requirements.txt": "pandas\njupyter\n",
    "train.py": "import sys\nsys.path.append('src')\nimport pandas\nprint(pandas.DataFrame( ))\n",
}
"""What lay in a repository before it adopted Baton."""


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
    render(workshop.template(), folder, {"starter": request.param, "level": 2})
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
    evidence = fresh.folder / ".handoff/evidence"
    kept = shutil.copytree(evidence, fresh.folder / ".handoff/kept")
    yield fresh
    git(fresh.folder, "reset", "--quiet", "--hard")
    git(fresh.folder, "clean", "--quiet", "--force", "src")
    shutil.rmtree(evidence)
    kept.rename(evidence)


def at_level(project: Project, level: int) -> None:
    """As an update to this level leaves it, with what a person does then."""
    answers = project.folder / ".copier-answers.yml"
    text = answers.read_text(encoding="utf-8")
    answers.write_text(text.replace("level: 2", f"level: {level}"), encoding="utf-8")
    owners(project.folder)
    project(*shlex.split(tasks(project.folder)["_owners"]))


def outcomes(project: Project, *options: str) -> tuple[int, list[dict[str, Any]]]:
    done = project("handoff", "status", "--format", "json", *options, check=False)
    assert done.stderr == ""
    found: list[dict[str, Any]] = json.loads(done.stdout)["outcomes"]
    return done.returncode, found


def open_(found: list[dict[str, Any]]) -> set[str]:
    return {one["practice"] for one in found if one["state"] in ("not met", "not shown")}


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_new_project_is_green_at_push(project: Project, level: int) -> None:
    at_level(project, level)
    assert outcomes(project, "--stage", "push")[0] == 0


def test_what_is_open_at_the_handoff_is_said(project: Project) -> None:
    code, found = outcomes(project, "--stage", "handoff")
    assert code == 1
    by_people = {"proper-editor", "tools-introduced", "early-work"}
    later = {"alerts-reach-somebody", "performance-profiled", "acceptance-passed"}
    candidate = {"candidate-traceable", "compared-with-baselines", "judged-by-subgroup"}
    data = {"pipeline-current", "data-validated"}
    flights = (project.folder / "tests/golden/sources.json").exists()
    blank = set() if flights else {"contracts-stated", "sources-described"}
    asked = by_people | later | candidate | data | blank
    assert open_(found) == asked
    assert outcomes(project, "--stage", "handoff", "--level", "0")[0] == 0


def test_a_must_that_is_broken_blocks_and_its_fix_restores_it(project: Project) -> None:
    bad = next((project.folder / "src").glob("*/serving/app.py"))
    bad.write_text(bad.read_text(encoding="utf-8") + "import os\n", encoding="utf-8")
    code, found = outcomes(project)
    assert code == 1
    assert {"linted", "formatted", "typed", "tests-pass"} <= open_(found)
    lint = shlex.split(tasks(project.folder)["_lint"])
    assert project(*lint, check=False).returncode == 1
    (mine,) = [
        one
        for one in outcomes(project, "--side", "ml-engineering")[1]
        if one["practice"] == "linted"
    ]
    assert (mine["state"], mine["side"], mine["tier"]) == ("not met", "ml-engineering", "must")
    assert mine["fix"].startswith("`uv run poe fix`")
    project("ruff", "format")
    project("ruff", "check", "--fix")
    project(*lint)
    assert "linted" not in open_(outcomes(project)[1])


def test_status_changes_nothing(project: Project) -> None:
    before = git(project.folder, "status", "--porcelain")
    project("handoff", "status")
    assert git(project.folder, "status", "--porcelain") == before


def test_what_adopting_brings_is_met_beside_what_had_grown(project: Project) -> None:
    at_level(project, 1)
    stated = tomllib.loads(PRACTICES.read_text(encoding="utf-8"))["practices"]
    brought = {practice["name"] for practice in stated if practice.get("brought")}
    try:
        for name, text in GROWN.items():
            (project.folder / name).write_text(text, encoding="utf-8")
        found = outcomes(project)[1]
    finally:
        for name in GROWN:
            (project.folder / name).unlink()
    states = {one["practice"]: one["state"] for one in found if one["practice"] in brought}
    assert states == dict.fromkeys(brought, "met")
