"""A new project passes at push at every level, and status lists what is open at the handoff."""

import json
import shlex
import shutil
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.baton import ROOT, Workshop, commit, git, owners, render, run, update
from tests.project import CHECKS, Project, step

pytestmark = pytest.mark.slow

VERSION = "v1.0.0"
STAGES = ("push", "handoff", "promotion")
PRACTICES = ROOT / "handoff/src/baton_handoff/policy/practices/practices.toml"

GROWN = {
    "look.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "requirements.txt": "pandas\njupyter\n",
    "train.py": "import sys\nsys.path.append('src')\nimport pandas\nprint(pandas.DataFrame( ))\n",
}
"""Files that a repository had before it adopted Baton."""


@pytest.fixture(scope="module", params=["flights", "blank"])
def fresh(
    workshop: Workshop,
    environment: Path,
    types_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Project:
    """Return a project after set-up, checks and tests."""
    folder = tmp_path_factory.mktemp("fresh") / "project"
    render(workshop.releases(), folder, {"starter": request.param}, VERSION)
    project = Project(folder, environment)
    project.env |= {"MYPY_CACHE_DIR": str(types_cache), "CI": ""}
    run(["uv", "lock", "--quiet"], folder)
    owners(folder)
    commit(folder, "first")
    project("pre-commit", "install")
    project("handoff", "check")
    project("handoff", "test")
    assert git(folder, "status", "--porcelain") == ""
    return project


@pytest.fixture
def project(fresh: Project) -> Iterator[Project]:
    """Yield the same project and restore it afterwards."""
    begun = git(fresh.folder, "rev-parse", "HEAD").strip()
    evidence = fresh.folder / ".handoff/evidence"
    kept = shutil.copytree(evidence, fresh.folder / ".handoff/kept")
    yield fresh
    git(fresh.folder, "reset", "--quiet", "--hard", begun)
    git(fresh.folder, "clean", "--quiet", "--force", "-d")
    shutil.rmtree(evidence)
    kept.rename(evidence)


def at_level(project: Project, level: int) -> None:
    """Choose another level by an update, and update the owners' file."""
    update(project.folder, {"level": level}, VERSION)
    owners(project.folder)


def status(project: Project, *options: str) -> Any:
    """Return the JSON output of status and check its exit code."""
    done = project("handoff", "status", "--format", "json", *options, check=False)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert done.returncode == bool(found["blocking"][found["stage"]])
    return found


def blocking(project: Project, stage: str, *options: str) -> set[tuple[str, str]]:
    """Return practice and side of everything that blocks a stage."""
    found = status(project, "--stage", stage, *options)["blocking"][stage]
    return {(one["practice"], one["side"]) for one in found}


def practice_names(found: set[tuple[str, str]]) -> set[str]:
    return {name for name, _ in found}


def unmet_practices(project: Project) -> set[str]:
    found = status(project)["outcomes"]
    return {one["practice"] for one in found if one["state"] in ("not met", "not shown")}


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_new_project_passes_at_push_and_lists_what_is_open_at_the_handoff(
    project: Project, level: int
) -> None:
    at_level(project, level)
    flights = (project.folder / "tests/golden/sources.json").exists()
    candidate = {"candidate-traceable", "compared-with-baselines", "judged-by-subgroup"}
    data = {"pipeline-current", "data-validated"}
    begun = set() if flights else {"contracts-stated", "sources-described"}
    musts = candidate | data | begun
    later = {"acceptance-passed"}
    expected = {
        0: (set(), set()),
        1: (musts, musts | later),
        2: (musts, musts | later),
    }
    assert blocking(project, "push") == set()
    assert (
        practice_names(blocking(project, "handoff")),
        practice_names(blocking(project, "promotion")),
    ) == expected[level]
    assert unmet_practices(project) == musts | later | {"performance-profiled"}


PRACTICE_OF = {
    "conflicts": "",  # these two block at every level, without a practice
    "secrets": "",
    "format": "formatted",
    "lint": "linted",
    "types": "typed",
    "layers": "layers-kept",
    "api": "api-current",
    "features": "features-inside",
    "owners": "contracts-owned",
    "sources": "sources-described",
}
"""The practice that each step of `poe check` checks."""


def test_the_next_level_requires_exactly_what_status_announced(
    project: Project,
) -> None:
    assert [*PRACTICE_OF] == CHECKS
    # A finding that does not block a push at level 1.
    (project.folder / "tool.py").write_text("import os\nx  =  1\n", encoding="utf-8")
    commit(project.folder, "in a hurry")
    for check in ("format", "lint"):
        assert project(*step(check), check=False).returncode == 1
    assert blocking(project, "push") == set()
    beforehand = {stage: blocking(project, stage, "--level", "2") for stage in STAGES}
    assert practice_names(beforehand["push"]) == {"formatted", "linted", "contracts-owned"}

    update(project.folder, {"level": 2}, VERSION)
    assert git(project.folder, "diff", "--name-only").split() == [".copier-answers.yml"]
    commit(project.folder, "level 2")
    failing = {c for c in CHECKS if project(*step(c), check=False).returncode}
    assert {PRACTICE_OF[check] for check in failing} == practice_names(beforehand["push"])
    assert {stage: blocking(project, stage) for stage in STAGES} == beforehand
    project("handoff", "contract", "diff", "--base", "HEAD~1")

    project("handoff", "policy", "owners")
    project("ruff", "format")
    project("ruff", "check", "--fix")
    (project.folder / "tool.py").unlink()  # no module imports it
    for check in ("format", "lint", "owners"):
        project(*step(check))
    assert blocking(project, "push") == set()


@dataclass(frozen=True)
class BrokenRequirement:
    """A requirement of level 1, broken in a real project.

    Attributes:
        broken: The edit that breaks it.
        tasks: The tasks that check it, the first one reports it; empty if status checks it.
        fix: The fix in the status.
        fix_steps: The steps of this fix: commands, or an edit.
    """

    broken: Callable[[Path], object]
    tasks: tuple[str, ...]
    fix: str
    fix_steps: Sequence[str] | Callable[[Path], object]


def remove_file(path: str) -> Callable[[Path], object]:
    return lambda folder: (folder / path).unlink()


def append_line(path: str, line: str) -> Callable[[Path], object]:
    """Return an edit that appends a line to a file."""

    def edit(folder: Path) -> None:
        with (folder / path).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    return edit


def remove_last_line(path: str) -> Callable[[Path], object]:
    """Return an edit that removes the last line of a file."""

    def edit(folder: Path) -> None:
        lines = (folder / path).read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / path).write_text("".join(lines[:-1]), encoding="utf-8")

    return edit


def add_large_table(folder: Path) -> None:
    (folder / "data/rows.csv").write_bytes(b"1,2,3\n" * 300_000)
    git(folder, "add", "data/rows.csv")


APP = "src/flight_delays/serving/app.py"
MODEL = "src/flight_delays/model/__init__.py"

BROKEN = {
    "lock-current": BrokenRequirement(
        remove_file("uv.lock"), (), "`uv lock`, and commit uv.lock", ["uv lock --quiet"]
    ),
    "hooks-installed": BrokenRequirement(
        remove_file(".git/hooks/pre-commit"), (), "`uv run poe setup`", ["handoff setup"]
    ),
    "formatted": BrokenRequirement(
        append_line("tool.py", "x  =  1"), ("format", "lint"), "`uv run poe fix`", ["poe fix"]
    ),
    "linted": BrokenRequirement(
        append_line("tool.py", "import os"),
        ("lint", "format"),
        "`uv run poe fix`, then fix what `uv run poe check` still reports",
        ["poe fix"],
    ),
    "typed": BrokenRequirement(
        append_line(APP, 'LATE: int = "late"'),
        ("types",),
        "fix what `uv run poe check --only types` reports",
        remove_last_line(APP),
    ),
    "layers-kept": BrokenRequirement(
        append_line(APP, "import flight_delays.training"),
        ("layers",),
        "fix the imports that `uv run poe check --only layers` reports",
        remove_last_line(APP),
    ),
    "api-current": BrokenRequirement(
        append_line("src/flight_delays/contracts/api.py", "EDITED = True"),
        ("api",),
        "`uv run poe fix`",
        ["poe fix"],
    ),
    "contracts-owned": BrokenRequirement(
        remove_file("CODEOWNERS"), (), "`uv run poe fix`, and commit what it writes", ["poe fix"]
    ),
    "data-versioned": BrokenRequirement(
        add_large_table,
        (),
        "`git rm --cached FILE`, then `uv run dvc add FILE`",
        ["git rm --quiet --cached data/rows.csv", "dvc add --quiet data/rows.csv"],
    ),
}
"""The requirements that tools check; the package's own tests break all others."""


@pytest.mark.parametrize("fresh", ["flights"], indirect=True)
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_requirement_lowers_the_level_and_its_fix_restores_it(
    project: Project, name: str
) -> None:
    case = BROKEN[name]
    project.env["UV"] = "true"  # the shared environment stays unchanged

    def level() -> int:
        """Return the level that the practice's section has earned."""
        found = status(project)
        (section,) = {o["section"] for o in found["outcomes"] if o["practice"] == name}
        return next(int(one["earned"]) for one in found["sections"] if one["name"] == section)

    def run_tasks() -> list[int]:
        commands = (step(task) for task in case.tasks)
        return [project(*command, check=False).returncode for command in commands]

    before, earned = blocking(project, "handoff"), level()
    case.broken(project.folder)
    assert run_tasks()[:1] == [1] * len(case.tasks[:1])
    found = status(project, "--stage", "handoff")
    assert {"practice": name, "side": "ml-engineering"} in found["blocking"]["handoff"]
    assert level() == 0
    fixes = {
        o["fix"] for o in found["outcomes"] if (o["practice"], o["state"]) == (name, "not met")
    }
    assert fixes == {case.fix}
    if callable(case.fix_steps):
        case.fix_steps(project.folder)
    else:
        for command in case.fix_steps:
            project(*shlex.split(command))
    assert run_tasks() == [0] * len(case.tasks)
    assert (blocking(project, "handoff"), level()) == (before, earned)


def test_status_changes_nothing(project: Project) -> None:
    before = git(project.folder, "status", "--porcelain")
    project("handoff", "status")
    assert git(project.folder, "status", "--porcelain") == before


def test_practices_that_adoption_brings_are_met_beside_existing_files(project: Project) -> None:
    at_level(project, 1)
    stated = tomllib.loads(PRACTICES.read_text(encoding="utf-8"))["practices"]
    brought = {practice["name"] for practice in stated if practice.get("brought")}
    try:
        for name, text in GROWN.items():
            (project.folder / name).write_text(text, encoding="utf-8")
        found = status(project)["outcomes"]
    finally:
        for name in GROWN:
            (project.folder / name).unlink()
    states = {one["practice"]: one["state"] for one in found if one["practice"] in brought}
    assert states == dict.fromkeys(brought, "met")
