"""A project with any answers passes its own checks and its own tests.

The projects share one environment with the requirements of all answers.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.baton import PAIRWISE, Workshop, owners, run
from tests.environment import inside
from tests.slices import sampled

ROWS = range(len(PAIRWISE))


@pytest.fixture
def project(workshop: Workshop, tmp_path: Path, row: int) -> Path:
    """Return a separate project for this test."""
    return shutil.copytree(workshop.project(PAIRWISE[row]), tmp_path / "project")


@pytest.mark.parametrize("row", sampled("pairwise", ROWS, 5))
def test_a_project_passes_its_own_checks_and_tests(
    environment: Path, project: Path, types_cache: Path
) -> None:
    owners(project)
    env = inside(environment, project) | {"MYPY_CACHE_DIR": str(types_cache)}
    run(["handoff", "check"], project, env=env)
    suites = [suite for suite in ("tests/unit", "tests/contract") if (project / suite).is_dir()]
    assert suites
    result = run(["pytest", "-p", "no:cacheprovider", *suites], project, env=env)
    assert re.search(r"\b[1-9][0-9]* passed", result.stdout)
