"""VS Code opens a project: problems, tasks, tests, notebooks and settings, in a real window.

The extensions are in no package registry. Stand-ins in tests/system/editor have their ids, take
their settings and start the same programs: basedpyright, ruff, pytest and a Jupyter kernel.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.baton import ROOT, Workshop
from tests.project import Project, replace_text
from tests.system.pictures import (
    FEATURES,
    FILE,
    MOST_KB,
    RIGHT,
    SCENES,
    SIZE,
    WRONG,
    new_project,
    shot,
    windows_in,
)
from tests.system.vscode import Window, opened, vscode
from tools.roles import roles

LISTED = roles(ROOT)[1]


@pytest.fixture(scope="module")
def project(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Return a new project with an environment."""
    return new_project(workshop, environment, tmp_path_factory.mktemp("vscode"))


@pytest.fixture(scope="module")
def address(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of VS Code's server."""
    with vscode(project, tmp_path_factory.mktemp("editor") / "vscode") as address:
        yield address


@pytest.fixture(scope="module")
def window(address: str, project: Project) -> Iterator[Window]:
    """Yield a window with the data scientist's workspace."""
    with opened(address, project.folder, "data-scientist") as window:
        yield window


@pytest.mark.parametrize("role", SCENES)
def test_a_window_shows_what_its_picture_in_the_handbook_shows(
    address: str, project: Project, role: str
) -> None:
    """The data scientist runs a notebook; the ML engineer sees a mistake while it is typed."""
    with opened(address, project.folder, role, SIZE) as window:
        taken = shot(window, role)
    # A data scientist does not see the rooms of engineering.
    assert ("serving" in taken.words) is (role == "ml-engineer")
    assert 10 < len(taken.image) / 1e3 < MOST_KB
    assert windows_in(FILE.read_text(encoding="utf-8"))[role].words == taken.words


def test_settings_tasks_and_launch_entries_have_no_problem(window: Window) -> None:
    for name in ("settings.json", "tasks.json", "launch.json", "extensions.json"):
        window.choose(f".vscode/{name}")
    for role in LISTED:
        window.choose(f"flight-delays.{role.id}.code-workspace")
    window.wait_for_problem("No problems")


def test_a_task_lists_its_problems(window: Window, project: Project) -> None:
    replace_text(project.folder / FEATURES, RIGHT, WRONG)
    window.choose(FEATURES)  # one problem is the editor's, one the task's
    window.choose("task check")
    window.wait_for("/2/.test(document.getElementById('status.problems').innerText)")
    window.wait_for_problem("has incompatible type")


def test_the_test_explorer_lists_the_tests(window: Window) -> None:
    window.choose(">View: Show Testing")
    explorer = "document.querySelector('.test-explorer')"
    window.wait_for(f"{explorer}?.innerText.includes('test_features.py')")
