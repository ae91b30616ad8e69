"""Cells of notebooks become functions that compute the same, and tests that notice changes.

`python tests/notebooks/test_lift.py` prints how many mutants of lifted functions the tests find.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.notebooks.characterisation import differences
from baton_handoff.notebooks.extraction import RefusedError
from baton_handoff.notebooks.lift import Lift
from baton_handoff.notebooks.target import chosen_cells, target_of
from lifting import CASES, MARKER, Case, lift_project, lifted
from mutants import mutants
from trip_project import git

TARGET = 0.95
QUICK = {"add_night", "daily_seconds", "banded_sales"}
"""The lifts of `make test`; `make prove` makes all."""


def surviving_mutants(made: Lift, sample: Path) -> tuple[int, list[str]]:
    """The number of mutants of a lifted function, and those that its test does not notice."""
    module = made.texts[made.lifted.target.file]
    survivors = []
    many = 0
    for what, source in mutants(module):
        many += 1
        if runs_equal(source, made.lifted.target.function, sample):
            survivors.append(what)
    return many, survivors


def runs_equal(source: str, name: str, sample: Path) -> bool:
    space: dict[str, Any] = {}
    try:
        exec(source, space)
        function: Callable[..., Any] = space[name]
        return not differences(function, sample)
    except Exception:  # noqa: BLE001 - whatever a mutant raises
        return False


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return lift_project(tmp_path_factory.mktemp("lift") / "trips")


@pytest.fixture(autouse=True)
def _undo(project: Project) -> Iterator[None]:
    yield
    git(project.root, "reset", "--quiet", "--hard")
    git(project.root, "clean", "--quiet", "--force", "-d")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(one, marks=[] if one.function in QUICK else pytest.mark.long, id=one.function)
        for one in CASES
    ],
)
def test_a_lift_has_a_test_that_notices_changes_and_no_row_of_the_data(
    project: Project, case: Case
) -> None:
    made = lifted(project, case)
    sample = project.root / f"tests/unit/lifted_{case.function}.json"
    assert runs_equal(made.texts[made.lifted.target.file], case.function, sample)
    many, survivors = surviving_mutants(made, sample)
    assert many > 2
    assert {one.partition(": ")[2] for one in survivors} <= case.equivalent
    git(project.root, "add", "--all")
    assert not subprocess.run(
        ["git", "grep", "--cached", MARKER], cwd=project.root, capture_output=True, check=False
    ).stdout


REFUSED_BEFORE_A_RUN = [
    (Case("taxi, row loops everywhere", (5, 5), "save"), "trips.to_parquet"),
    (Case("plots only", (2, 2), "plot"), "draws a plot"),
    (Case("colab with drive", (2, 2), "go"), "magic or a command"),
    (Case("functions on globals", (2, 3), "faulty"), "`faulty` reads `data`"),
    (Case("today as a feature", (1, 1), "days"), "reads the clock"),
    (Case("helpers by path", (3, 3), "score"), "executes text"),
    (Case("half written", (2, 3), "weekly"), "not valid Python"),
    (Case("random with a seed", (1, 1), "seed"), "setting of the whole process"),
]


REFUSED_AFTER_A_RUN = [
    (Case("secret", (2, 2), "key"), "secret"),
    (Case("shared", (2, 2), "double"), "the same object"),
    (Case("model", (2, 2), "fit"), "LinearRegression"),
]


REFUSED = [*REFUSED_BEFORE_A_RUN, *REFUSED_AFTER_A_RUN]


@pytest.mark.parametrize(("case", "reason"), REFUSED, ids=[one.function for one, _ in REFUSED])
def test_what_a_function_cannot_carry_is_refused_and_nothing_is_written(
    project: Project, case: Case, reason: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        lifted(project, case)
    assert reason in str(refused.value)
    assert not git(project.root, "status", "--porcelain")


def test_a_random_column_is_not_tested(project: Project) -> None:
    made = lifted(project, Case("noise", (2, 2), "with_noise"))
    assert made.random == ["sales.noise"]


def test_a_changed_project_is_refused(project: Project) -> None:
    file = project.root / "new.txt"
    file.write_text("x")
    with pytest.raises(HandoffError):
        lifted(project, CASES[0])


@pytest.mark.parametrize("cells", ["", "a", "4-", "4,5"])
def test_cells_that_are_no_range_are_a_usage_error(cells: str) -> None:
    with pytest.raises(UsageError):
        chosen_cells(cells)


@pytest.mark.parametrize("to", ["features/a.py", "../a.py:f", "features/a.py:F-1", "a.txt:f"])
def test_a_place_outside_the_package_is_a_usage_error(project: Project, to: str) -> None:
    with pytest.raises(UsageError):
        target_of(project, to)


if __name__ == "__main__":
    total = 0
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        own = lift_project(Path(folder) / "trips")
        for case in CASES:
            made = lifted(own, case)
            file = own.root / f"tests/unit/lifted_{case.function}.json"
            many, survivors = surviving_mutants(made, file)
            print(case.function, many, survivors)
            total, missed = total + many, missed + survivors
            git(own.root, "add", "--all")
            git(own.root, "commit", "--quiet", "--message", case.function)
    print(f"{total - len(missed)} of {total} mutants found: {1 - len(missed) / total:.3f}")
    sys.exit(len(missed) > (1 - TARGET) * total)
