"""The hooks of a new project reject files that don't belong in git, and accept notebooks."""

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
    "yaml": ("settings.yaml", "a: [1, 2\n"),
    "toml": ("settings.toml", "a = [1, 2\n"),
    "end-of-files": ("docs/guide.md", "No line end"),
}

Hooks = Callable[[str, str], tuple[int, str]]


@pytest.fixture
def hooks(default_project: Path, environment: Path, tmp_path: Path) -> Hooks:
    """Return a function that stages a file and runs the hooks: their exit code and output."""
    project = shutil.copytree(default_project, tmp_path / "project")
    commit(project, "first")
    settings = {
        **inside(environment, project),
        "UV_PROJECT_ENVIRONMENT": str(environment),
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
    }

    def run_hooks(path: str, text: str) -> tuple[int, str]:
        place = project / path
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
        git(project, "add", path)
        done = run(["pre-commit", "run", "--color=never"], project, check=False, env=settings)
        return done.returncode, done.stdout

    return run_hooks


@pytest.mark.parametrize("hook", REFUSED)
def test_a_hook_rejects_a_file_that_does_not_belong_in_git(hooks: Hooks, hook: str) -> None:
    code, output = hooks(*REFUSED[hook])
    assert code == 1
    assert output.count("- hook id: ") == 1, output
    assert f"- hook id: {hook}\n" in output


def test_the_hooks_accept_a_notebook(hooks: Hooks) -> None:
    cell = {
        "cell_type": "markdown",
        "id": "0",
        "metadata": {},
        "source": [*CONFLICT.splitlines(keepends=True), "x" * 2_000_000],
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    code, output = hooks("notebooks/large.ipynb", json.dumps(notebook, indent=1) + "\n")
    assert code == 0, output
