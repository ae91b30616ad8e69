"""Every scenario of the sampled suites fits the files of a fresh project.

`make prove` runs a sample of them, so a scenario that no longer fits would fail much later.
"""

import ast
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.baton import ROOT, git
from tests.project import state
from tests.prove.breaks import DS, ML, SCENARIOS, Work

PROVE = ROOT / "tests/prove"
LATER = ("uv.lock", "data/evaluation/evaluation.json")
"""Files that only a project after set-up and training has."""


def edits_of(table: str) -> list[Any]:
    """Return name and edits (file, old text, new text) of each scenario of a table."""
    content = tomllib.loads((PROVE / f"{table}.toml").read_text(encoding="utf-8"))
    if table == "faults":
        return [
            pytest.param(
                [(f"src/flight_delays/{fault['file']}", *edit) for edit in fault["edits"]],
                id=fault["name"],
            )
            for fault in content["fault"]
        ]
    return [
        pytest.param([*one.get("edits", []), *one.get("afterwards", [])], id=one["name"])
        for one in content["candidate"]
    ]


@pytest.fixture(scope="module")
def stated_project(default_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with its statements, as the candidates have it."""
    project = tmp_path_factory.mktemp("stated") / "project"
    shutil.copytree(default_project, project)
    state(project)
    return project


@pytest.mark.parametrize("edits", [*edits_of("faults"), *edits_of("candidates")])
def test_the_edits_of_a_scenario_fit_a_fresh_project(
    edits: list[tuple[str, str, str]], stated_project: Path
) -> None:
    texts: dict[str, str] = {}
    for file, old, new in edits:
        if file not in LATER:
            text = texts.get(file) or (stated_project / file).read_text(encoding="utf-8")
            assert old in text, f"{file} has no {old!r}"
            texts[file] = text.replace(old, new, 1)
    assert_valid(texts.items())


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_of_triage_fits_a_fresh_project(
    name: str, default_project: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(default_project, project)
    git(project, "init", "--quiet", "--initial-branch", "main")
    work = Work(project, {})
    work.commit(f"{DS}-and-{ML}@example.com")
    git(project, "switch", "--quiet", "--create", "work")
    before = git(project, "rev-parse", "HEAD").strip()
    SCENARIOS[name][0](work)
    changed = git(project, "diff", "--name-only", "--diff-filter=d", before, "HEAD").splitlines()
    deleted = git(project, "diff", "--name-only", "--diff-filter=D", before, "HEAD")
    assert changed or deleted
    assert_valid((file, (project / file).read_text(encoding="utf-8")) for file in changed)


def assert_valid(texts: Iterable[tuple[str, str]]) -> None:
    """A scenario changes what code does; an accidental syntax error would be another scenario."""
    for file, text in texts:
        if file.endswith(".py"):
            ast.parse(text, file)
