"""A new project is green at push whatever its level, and says what is open at the handoff."""

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
        2: (musts, musts | later | {"performance-profiled"}),
    }
    assert blocking(project, "push") == set()
    assert (
        names(blocking(project, "handoff")),
        names(blocking(project, "promotion")),
    ) == expected[level]
    assert open_(project) == musts | later | {"performance-profiled"}


PRACTICE_OF = {
    "format": "formatted",
    "lint": "linted",
    "types": "typed",
    "layers": "layers-kept",
    "api": "api-current",
    "features": "features-inside",
    "owners": "contracts-owned",
    "sources": "sources-described",
}
"""What each command of `poe check` looks at."""


def test_the_next_level_asks_for_what_was_said_beforehand_and_for_nothing_else(
    project: Project,
) -> None:
    assert [*PRACTICE_OF] == CHECKS
    # Something that level 1 lets pass at a push.
    (project.folder / "tool.py").write_text("import os\nx  =  1\n", encoding="utf-8")
    commit(project.folder, "in a hurry")
    for check in ("format", "lint"):
        assert project(*step(check), check=False).returncode == 1
    assert blocking(project, "push") == set()
    beforehand = {stage: blocking(project, stage, "--level", "2") for stage in STAGES}
    assert names(beforehand["push"]) == {"formatted", "linted", "contracts-owned"}

    update(project.folder, {"level": 2}, VERSION)
    assert git(project.folder, "diff", "--name-only").split() == [".copier-answers.yml"]
    commit(project.folder, "level 2")
    red = {c for c in CHECKS if project(*step(c), check=False).returncode}
    assert {PRACTICE_OF[check] for check in red} == names(beforehand["push"])
    assert {stage: blocking(project, stage) for stage in STAGES} == beforehand
    project("handoff", "contract", "diff", "--base", "HEAD~1")

    project("handoff", "policy", "owners")
    project("ruff", "format")
    project("ruff", "check", "--fix")
    (project.folder / "tool.py").unlink()  # there was nothing in it that anybody uses
    for check in ("format", "lint", "owners"):
        project(*step(check))
    assert blocking(project, "push") == set()


@dataclass(frozen=True)
class Broken:
    """A must of level 1, broken in a real project.

    Attributes:
        broken: How.
        looks: The tasks that look, the one that sees it first; none where the status sees it.
        fix: What is said then.
        followed: The same, done: what is typed, or what somebody edits.
    """

    broken: Callable[[Path], object]
    looks: tuple[str, ...]
    fix: str
    followed: Sequence[str] | Callable[[Path], object]


def gone(path: str) -> Callable[[Path], object]:
    return lambda folder: (folder / path).unlink()


def longer(path: str, line: str) -> Callable[[Path], object]:
    """A line more at the end of a file."""

    def edit(folder: Path) -> None:
        with (folder / path).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    return edit


def shorter(path: str) -> Callable[[Path], object]:
    """Without the last line of a file."""

    def edit(folder: Path) -> None:
        lines = (folder / path).read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / path).write_text("".join(lines[:-1]), encoding="utf-8")

    return edit


def a_large_table(folder: Path) -> None:
    (folder / "data/rows.csv").write_bytes(b"1,2,3\n" * 300_000)
    git(folder, "add", "data/rows.csv")


APP = "src/flight_delays/serving/app.py"
MODEL = "src/flight_delays/model/__init__.py"

BROKEN = {
    "lock-current": Broken(
        gone("uv.lock"), (), "`uv lock`, and commit uv.lock", ["uv lock --quiet"]
    ),
    "hooks-installed": Broken(
        gone(".git/hooks/pre-commit"), (), "`uv run poe setup`", ["handoff setup"]
    ),
    "formatted": Broken(
        longer("tool.py", "x  =  1"), ("format", "lint"), "`uv run poe fix`", ["poe fix"]
    ),
    "linted": Broken(
        longer("tool.py", "import os"),
        ("lint", "format"),
        "`uv run poe fix`, then fix what `uv run poe check` still reports",
        ["poe fix"],
    ),
    "typed": Broken(
        longer(APP, 'LATE: int = "late"'),
        ("types",),
        "fix what `uv run poe check --only types` reports",
        shorter(APP),
    ),
    "layers-kept": Broken(
        longer(APP, "import flight_delays.training"),
        ("layers",),
        "fix the imports that `uv run poe check --only layers` reports",
        shorter(APP),
    ),
    "api-current": Broken(
        longer("src/flight_delays/contracts/api.py", "# edited"),
        ("api",),
        "`uv run poe fix`",
        ["poe fix"],
    ),
    "contracts-owned": Broken(
        gone("CODEOWNERS"), (), "`uv run poe fix`, and commit what it writes", ["poe fix"]
    ),
    "data-versioned": Broken(
        a_large_table,
        (),
        "`git rm --cached FILE`, then `uv run dvc add FILE`",
        ["git rm --quiet --cached data/rows.csv", "dvc add --quiet data/rows.csv"],
    ),
}
"""Those of which tools say it; the package's own tests break every other one."""


@pytest.mark.parametrize("fresh", ["flights"], indirect=True)
@pytest.mark.parametrize("name", BROKEN)
def test_a_must_that_is_broken_lowers_the_level_and_what_is_said_then_restores_it(
    project: Project, name: str
) -> None:
    case = BROKEN[name]
    project.env["UV"] = "true"  # the environment of all projects stays as it is

    def level() -> int:
        """What the practice's section has earned."""
        found = said(project)
        (section,) = {o["section"] for o in found["outcomes"] if o["practice"] == name}
        return next(int(one["earned"]) for one in found["sections"] if one["name"] == section)

    def look() -> list[int]:
        commands = (step(look) for look in case.looks)
        return [project(*command, check=False).returncode for command in commands]

    before, earned = blocking(project, "handoff"), level()
    case.broken(project.folder)
    assert look()[:1] == [1] * len(case.looks[:1])
    found = said(project, "--stage", "handoff")
    assert {"practice": name, "side": "ml-engineering"} in found["blocking"]["handoff"]
    assert level() == 0
    fixes = {
        o["fix"] for o in found["outcomes"] if (o["practice"], o["state"]) == (name, "not met")
    }
    assert fixes == {case.fix}
    if callable(case.followed):
        case.followed(project.folder)
    else:
        for command in case.followed:
            project(*shlex.split(command))
    assert look() == [0] * len(case.looks)
    assert (blocking(project, "handoff"), level()) == (before, earned)


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
        found = said(project)["outcomes"]
    finally:
        for name in GROWN:
            (project.folder / name).unlink()
    states = {one["practice"]: one["state"] for one in found if one["practice"] in brought}
    assert states == dict.fromkeys(brought, "met")
