"""A project's own commands work on every supported Python of this machine."""

import os
import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.baton import QUESTIONS, Workshop, git, render, run
from tests.slices import sampled


def interpreter(version: str) -> str | None:
    """Find an interpreter with uv, and in pyenv, whose shims hide all but one version."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    find: list[str] = [find_uv_bin(), "python", "find", "--no-python-downloads", "--no-project"]
    for wanted in [version, *map(str, pyenv.glob(f"versions/{version}.*/bin/python"))]:
        found = subprocess.run([*find, wanted], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.strip()
    return None


SUPPORTED = [str(v) for q in QUESTIONS if q.name == "python" for v in q.choices.values()]
PRESENT = {version: found for version in SUPPORTED if (found := interpreter(version))}


def test_this_machine_has_a_supported_python() -> None:
    assert PRESENT


@pytest.mark.slow
@pytest.mark.parametrize("version", sampled("pythons", [*PRESENT], 1))
def test_set_up_commit_check_and_test(workshop: Workshop, tmp_path: Path, version: str) -> None:
    project = render(workshop.template(), tmp_path / "project", {"python": version})
    pinned = {"UV_PYTHON": PRESENT[version], "UV_PYTHON_DOWNLOADS": "never"}
    poe = ["uv", "run", "poe"]
    run([*poe, "setup"], project, env=pinned)
    # The user makes the first commit, so the hooks must accept all rendered files.
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "first")
    for task in ("check", "test"):
        run([*poe, task], project, env=pinned)
    result = run(["uv", "run", "--no-sync", "python", "--version"], project, env=pinned)
    assert result.stdout.startswith(f"Python {version}.")
