"""Paths that a user gives count from the folder in which the user stands."""

import os
from pathlib import Path

import pytest

from baton_handoff.cli import _return_to_the_caller
from baton_handoff.cli.options import Options, from_root
from baton_handoff.config.project import Project


@pytest.mark.parametrize(
    ("starts_in", "called_from", "ends_in"),
    [
        ("", "data", "data"),  # as poe does it
        ("", "data/größe", "data/größe"),
        ("", "", ""),
        ("data", "", "data"),  # a task with a folder of its own
        ("", "../elsewhere", ""),  # poe -C
    ],
)
def test_a_task_works_where_it_was_called(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    starts_in: str,
    called_from: str,
    ends_in: str,
) -> None:
    (project.root / "data/größe").mkdir(parents=True)
    (project.root.parent / "elsewhere").mkdir()
    monkeypatch.chdir(project.root / starts_in)
    monkeypatch.setenv("POE_ROOT", str(project.root))
    monkeypatch.setenv("POE_PWD", str(project.root / called_from))
    _return_to_the_caller()
    assert Path.cwd() == project.root / ends_in
    assert "POE_PWD" not in os.environ


@pytest.mark.parametrize(
    ("folder", "given", "passed"),
    [
        ("tests", ["unit/test_a.py::test_b", "-x"], ["tests/unit/test_a.py::test_b", "-x"]),
        ("tests", ["-k", "a or b"], ["-k", "a or b"]),
        ("tests/unit", ["test_a.py"], ["tests/unit/test_a.py"]),
        ("tests/unit", ["tests/unit/test_a.py"], ["tests/unit/test_a.py"]),  # from the root
        (".", ["tests/unit/test_a.py"], ["tests/unit/test_a.py"]),
    ],
)
def test_the_arguments_of_a_tool_are_found_from_the_root(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    given: list[str],
    passed: list[str],
) -> None:
    (project.root / "tests/unit").mkdir(parents=True)
    (project.root / "tests/unit/test_a.py").write_text("")
    monkeypatch.chdir(project.root / folder)
    options = Options(project=project)
    assert from_root(options, given) == passed
