"""A project works on every supported Python that this machine has, by its own commands."""

import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.baton import QUESTIONS, Workshop, render, run


def present(version: str) -> bool:
    find = [find_uv_bin(), "python", "find", "--no-python-downloads", "--no-project", version]
    return subprocess.run(find, capture_output=True, check=False).returncode == 0


SUPPORTED = [str(v) for q in QUESTIONS if q.name == "python" for v in q.choices.values()]
PRESENT = [version for version in SUPPORTED if present(version)]


def test_one_supported_python_is_here() -> None:
    assert PRESENT


@pytest.mark.slow
@pytest.mark.parametrize("version", PRESENT)
def test_set_up_check_and_test(workshop: Workshop, tmp_path: Path, version: str) -> None:
    project = render(workshop.template(), tmp_path / "project", {"python": version})
    pinned = {"UV_PYTHON": version, "UV_PYTHON_DOWNLOADS": "never"}
    for task in ("setup", "check", "test"):
        run(["uv", "run", "poe", task], project, env=pinned)
    said = run(["uv", "run", "--no-sync", "python", "--version"], project, env=pinned)
    assert said.stdout.startswith(f"Python {version}.")
