"""The hooks of a new project refuse files that nobody wants in git, and no notebook."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.baton import commit, git, run
from tests.environment import inside

pytestmark = pytest.mark.slow

CONFLICT = "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"

REFUSED = {
    "large-files": ("data.csv", "1,2,3,4\n" * 150_000),
    "merge-conflicts": ("docs/guide.md", CONFLICT),
    "yaml": ("settings.yaml", "a: [1, 2\n"),
    "toml": ("settings.toml", "a = [1, 2\n"),
    "end-of-files": ("docs/guide.md", "No line end"),
}

Hooks = Callable[[str, str], tuple[int, str]]


@pytest.fixture
def hooks(default_project: Path, environment: Path, tmp_path: Path) -> Hooks:
    """Stage a file in a new project and run its hooks: the exit code, and the ids that failed."""
    project = shutil.copytree(default_project, tmp_path / "project")
    commit(project, "first")
    settings = {
        **inside(environment, project),
        "UV_PROJECT_ENVIRONMENT": str(environment),
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
    }

    def staged(path: str, text: str) -> tuple[int, str]:
        place = project / path
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
        git(project, "add", path)
        done = run(["pre-commit", "run", "--color=never"], project, check=False, env=settings)
        return done.returncode, done.stdout

    return staged


@pytest.mark.parametrize("hook", REFUSED)
def test_a_file_that_nobody_wants_in_git_is_refused(hooks: Hooks, hook: str) -> None:
    code, said = hooks(*REFUSED[hook])
    assert code == 1
    assert said.count("- hook id: ") == 1, said
    assert f"- hook id: {hook}\n" in said


def test_no_hook_stands_in_the_way_of_a_notebook(hooks: Hooks) -> None:
    cell = {
        "cell_type": "markdown",
        "id": "0",
        "metadata": {},
        "source": [*CONFLICT.splitlines(keepends=True), "x" * 2_000_000],
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    code, said = hooks("notebooks/large.ipynb", json.dumps(notebook, indent=1) + "\n")
    assert code == 0, said
