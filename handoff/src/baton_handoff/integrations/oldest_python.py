"""The project's tests on the oldest Python that it supports."""

import os
import subprocess
import sys

from packaging.specifiers import SpecifierSet

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.toml_files import parse_toml

_NEWEST = 30
"""A minor version of Python 3 that no project requires yet."""


def oldest_python(project: Project) -> str:
    """The oldest Python that pyproject.toml accepts, such as `3.11`.

    Raises:
        HandoffError: pyproject.toml names none.
    """
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    stated = str(parse_toml(text).get("project", {}).get("requires-python", ""))
    # Any patch release will do: `>=3.11.4` accepts 3.11.
    accepted = (
        f"3.{minor}"
        for minor in range(_NEWEST)
        if any(SpecifierSet(stated).contains(f"3.{minor}.{patch}") for patch in (0, 99))
    )
    oldest = next(accepted, None) if stated else None
    if oldest is None:
        raise HandoffError(
            "pyproject.toml states no oldest Python: add `requires-python` to [project]."
        )
    return oldest


def run_tests(project: Project) -> int:
    """Run the tests in an environment of their own, and return their exit code."""
    if project.has_own_environment:
        print("The tests of this repository run in an environment of its own.")
        return 0
    oldest = oldest_python(project)
    if oldest == f"3.{sys.version_info.minor}":
        print(f"Python {oldest} is the oldest that the project supports, and the one here.")
        print("`uv run poe test` has run on it.")
        return 0
    command = ["run", "--isolated", "--locked", "--python", oldest, "handoff", "test"]
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [os.environ.get("UV", "uv"), *command], cwd=project.root, env=env, check=False
    )
    if done.returncode:
        print(
            f"\nThe tests fail on Python {oldest}. ml-engineering raises `requires-python` in"
            " pyproject.toml, or the author corrects the code."
            f"\nThe same on your machine: uv {' '.join(command)}"
        )
    return done.returncode
