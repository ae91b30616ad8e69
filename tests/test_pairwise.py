"""The same answers always render the same project.

The rows cover every pair of answers.
"""

from itertools import combinations
from pathlib import Path

import pytest

from tests.baton import PAIRWISE, QUESTIONS, Workshop, render, run, values_of

ROWS = range(len(PAIRWISE))
pytestmark = pytest.mark.slow


def test_the_rows_contain_every_pair_of_answers() -> None:
    values = {question.name: values_of(question) for question in QUESTIONS}
    missing = [
        (one, a, other, b)
        for one, other in combinations(values, 2)
        for a in values[one]
        for b in values[other]
        if not any(row[one] == a and row[other] == b for row in PAIRWISE)
    ]
    assert missing == []


@pytest.mark.parametrize("row", ROWS)
def test_the_same_answers_render_the_same_project(
    workshop: Workshop, tmp_path: Path, row: int
) -> None:
    again = render(workshop.template(), tmp_path / "elsewhere", PAIRWISE[row])
    run(["diff", "-r", workshop.project(PAIRWISE[row]), again], tmp_path)
