"""The rooms of the package: each imports only what stands below it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HANDOFF = Path(__file__).parents[1]
COMMAND = ["lint-imports", "--no-logo", "--no-cache", "--config", str(HANDOFF / "pyproject.toml")]


def lint(source: Path) -> str:
    """What is found of the package under a folder."""
    env = os.environ | {"PYTHONPATH": str(source)}
    return subprocess.run(COMMAND, env=env, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package, to be changed."""
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HANDOFF / "src" / "baton_handoff", tmp_path / "baton_handoff", ignore=leave)
    return tmp_path


def test_every_room_keeps_its_place() -> None:
    assert lint(HANDOFF / "src").endswith("Contracts: 3 kept, 0 broken.\n")


@pytest.mark.parametrize(
    ("path", "code", "found"),
    [
        (
            "core/git.py",
            "\n\ndef late() -> None:\n    from baton_handoff.config import sides\n",
            "baton_handoff.core is not allowed to import baton_handoff.config",
        ),
        (
            "policy/practices/practice.py",
            "\nimport baton_handoff.policy.status.status\n",
            "Policy: what is asked, then what is seen, then what follows BROKEN",
        ),
        (
            "lineage/sources/sql.py",
            "\nimport baton_handoff.lineage.sources.reads\n",
            "No circles within a room BROKEN",
        ),
        ("new_room.py", '"""New."""\n', "baton_handoff.new_room"),
    ],
)
def test_what_does_not_keep_it_is_found(copy: Path, path: str, code: str, found: str) -> None:
    with (copy / "baton_handoff" / path).open("a", encoding="utf-8") as file:
        file.write(code)
    assert found in lint(copy)
