"""Whatever people answer, their project is the same each time, clean, typed, layered and tested.

The rows cover every pair of answers. Each project runs the very commands of its own `poe check` and
its own tests, in one environment that holds what all of them need.
"""

import re
import shlex
import shutil
import tomllib
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.baton import FREE_TEXT, PAIRWISE, QUESTIONS, Workshop, owners, render, run
from tests.environment import inside

CHECKS = ["_format", "_lint", "types", "layers", "_api", "_features", "_owners", "_sources"]
ROWS = pytest.mark.parametrize("row", range(len(PAIRWISE)))
pytestmark = pytest.mark.slow


@pytest.fixture
def project(workshop: Workshop, tmp_path: Path, row: int) -> Path:
    """A project of its own for this test."""
    return shutil.copytree(workshop.project(PAIRWISE[row]), tmp_path / "project")


def test_every_pair_of_answers_occurs() -> None:
    values = {q.name: FREE_TEXT.get(q.name) or list(q.choices.values()) for q in QUESTIONS}
    missing = [
        (one, a, other, b)
        for one, other in combinations(values, 2)
        for a in values[one]
        for b in values[other]
        if not any(row[one] == a and row[other] == b for row in PAIRWISE)
    ]
    assert missing == []


def test_these_are_the_checks_of_a_project(default_project: Path) -> None:
    assert tasks(default_project)["check"]["parallel"] == CHECKS


def tasks(project: Path) -> dict[str, Any]:
    """The tasks of a project, those of a single command as that command."""
    loaded = tomllib.loads((project / "standards/tasks.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = loaded["tool"]["poe"]["tasks"]
    return {
        name: task.get("cmd", task) if isinstance(task, dict) else task
        for name, task in found.items()
    }


@ROWS
def test_the_same_answers_make_the_same_project(
    workshop: Workshop, tmp_path: Path, row: int
) -> None:
    again = render(workshop.template(), tmp_path / "elsewhere", PAIRWISE[row])
    run(["diff", "-r", workshop.project(PAIRWISE[row]), again], tmp_path)


@ROWS
@pytest.mark.parametrize("check", CHECKS)
def test_a_project_passes_its_own_checks(
    environment: Path, project: Path, types_cache: Path, check: str
) -> None:
    owners(project)
    command = shlex.split(tasks(project)[check])
    run(command, project, env=inside(environment, project) | {"MYPY_CACHE_DIR": str(types_cache)})


@ROWS
def test_a_project_passes_its_own_tests(
    environment: Path, project: Path, types_cache: Path
) -> None:
    suites = [suite for suite in ("tests/unit", "tests/contract") if (project / suite).is_dir()]
    assert suites
    command = ["pytest", "-p", "no:cacheprovider", *suites]
    said = run(
        command, project, env=inside(environment, project) | {"MYPY_CACHE_DIR": str(types_cache)}
    )
    assert re.search(r"\b[1-9][0-9]* passed", said.stdout)
