"""Whatever people answer, their project is the same each time, clean, typed, layered and tested.

The rows cover every pair of answers. Each project runs the very commands of its own `poe check` and
its own tests, in one environment that holds what all of them need.
"""

import re
import shutil
from itertools import combinations
from pathlib import Path

import pytest

from tests.baton import FREE_TEXT, PAIRWISE, QUESTIONS, Workshop, owners, render, run
from tests.environment import inside
from tests.slices import chosen

ROWS = range(len(PAIRWISE))
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


@pytest.mark.parametrize("row", ROWS)
def test_the_same_answers_make_the_same_project(
    workshop: Workshop, tmp_path: Path, row: int
) -> None:
    again = render(workshop.template(), tmp_path / "elsewhere", PAIRWISE[row])
    run(["diff", "-r", workshop.project(PAIRWISE[row]), again], tmp_path)


@pytest.mark.parametrize("row", chosen("pairwise", ROWS, 5))
def test_a_project_passes_its_own_checks_and_tests(
    environment: Path, project: Path, types_cache: Path
) -> None:
    owners(project)
    env = inside(environment, project) | {"MYPY_CACHE_DIR": str(types_cache)}
    run(["handoff", "check"], project, env=env)
    suites = [suite for suite in ("tests/unit", "tests/contract") if (project / suite).is_dir()]
    assert suites
    said = run(["pytest", "-p", "no:cacheprovider", *suites], project, env=env)
    assert re.search(r"\b[1-9][0-9]* passed", said.stdout)
