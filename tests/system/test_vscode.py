"""VS Code opens a project: problems, tasks, tests, notebooks and settings, in a real window.

The extensions are in no package registry. Stand-ins in tests/system/editor have their ids, take
their settings and start the same programs: basedpyright, ruff, pytest and a Jupyter kernel.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.baton import ROOT, Workshop, commit, owners, run
from tests.environment import inside
from tests.project import uv_of
from tests.system.browser import browser
from tests.system.vscode import SHIFT, Window, add_stand_ins, install, served
from tools.roles import roles

EVERYONE, LISTED = roles(ROOT)
FEATURES = "src/flight_delays/training/features.py"
OUTPUTS = """
[...document.querySelectorAll('iframe.webview')]
  .flatMap((frame) => [...frame.contentDocument?.querySelectorAll('iframe') ?? []])
  .map((frame) => frame.contentDocument?.body?.innerText).join()
"""
CELL = """\
from flight_delays.contracts import Flights
Flights.to_schema().name
"""


@pytest.fixture(scope="module")
def project(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a default project with an environment and a small notebook."""
    made = tmp_path_factory.mktemp("vscode") / "flight-delays"
    shutil.copytree(workshop.project({}), made)
    run(["uv", "lock", "--quiet"], made)
    owners(made)
    cell: dict[str, Any] = {
        "cell_type": "code",
        "source": CELL,
        "outputs": [],
        "execution_count": None,
    }
    notebook = {"cells": [{**cell, "metadata": {}}], "metadata": {}, "nbformat": 4}
    (made / "notebooks/small.ipynb").write_text(json.dumps({**notebook, "nbformat_minor": 4}))
    commit(made, "first")
    (made / ".venv").symlink_to(environment)
    return made


@pytest.fixture(scope="module")
def address(
    project: Path, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Yield the address of VS Code's server."""
    folder = tmp_path_factory.mktemp("editor")
    editor = install(folder / "npm")
    add_stand_ins(folder / "extensions", folder / "npm")
    env = inside(environment, project)
    env["PATH"] = f"{uv_of(folder / 'bin').parent}:{env['PATH']}"
    with served(editor, folder / "extensions", env) as address:
        yield address


@contextmanager
def opened(address: str, project: Path, role: str) -> Iterator[Window]:
    """Open the workspace file of a role in a context; yield its window."""
    file = project / f"flight-delays.{role}.code-workspace"
    shown = "document.querySelector('.explorer-folders-view')?.innerText.includes('tests')"
    for _ in range(3):  # on a busy machine the window may open before the server gives it the file
        with (
            TemporaryDirectory(ignore_cleanup_errors=True) as profile,
            browser(Path(profile)) as page,
        ):
            page.open(f"{address}/?workspace={file}", width=1400, height=900, scheme="light")
            window = Window(page)
            if window.is_soon(shown, 40):
                yield window
                return
    raise AssertionError(f"{file} does not open")


@pytest.fixture(scope="module")
def window(address: str, project: Path) -> Iterator[Window]:
    """Yield a window with the data scientist's workspace."""
    with opened(address, project, "data-scientist") as window:
        yield window


@pytest.mark.parametrize("role", [role.id for role in LISTED])
def test_a_workspace_shows_the_rooms_of_its_role(address: str, project: Path, role: str) -> None:
    others = {".devcontainer", ".github", "serving"}
    with opened(address, project, role) as window:
        window.choose(FEATURES)  # its folder and the neighbours show
        explorer = "document.querySelector('.explorer-folders-view').innerText"
        rows = window.wait_for(f"{explorer}.includes('features.py') && {explorer}")
        shown = others & set(rows.split())
    assert shown == (others if role == "ml-engineer" else set())


def test_settings_tasks_and_launch_entries_have_no_problem(window: Window) -> None:
    for name in ("settings.json", "tasks.json", "launch.json", "extensions.json"):
        window.choose(f".vscode/{name}")
    for role in LISTED:
        window.choose(f"flight-delays.{role.id}.code-workspace")
    window.wait_for_problem("No problems")


def test_a_violation_is_a_problem_while_it_is_typed(window: Window) -> None:
    window.choose(f"{FEATURES}:28:1")
    window.wait_for("document.querySelector('.statusbar').innerText.includes('Ln 28')")
    window.press("Home")
    window.press("End", SHIFT)
    window.type("flights,")
    window.wait_for("document.querySelector('.squiggly-error')")
    window.wait_for_problem("is not assignable to")


def test_a_task_lists_its_problems(window: Window) -> None:
    window.choose("task check")  # saves the edited file first
    window.wait_for("/2/.test(document.getElementById('status.problems').innerText)")
    window.wait_for_problem("has incompatible type")


def test_the_test_explorer_lists_the_tests(window: Window) -> None:
    window.choose(">View: Show Testing")
    explorer = "document.querySelector('.test-explorer')"
    window.wait_for(f"{explorer}?.innerText.includes('test_features.py')")


def test_a_cell_of_a_notebook_runs(window: Window) -> None:
    window.choose("notebooks/small.ipynb")
    window.wait_for("document.querySelector('.cell-list-container')?.innerText.includes('Flights')")
    window.choose(">Notebook: Run All")
    window.wait_for(f"{OUTPUTS}.includes(\"'Flights'\")")
