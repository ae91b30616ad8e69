"""Environments beside the project's own, each made once for what it holds."""

import os
import subprocess
import sys
from pathlib import Path


def environment_python(place: Path) -> Path:
    """The Python of an environment."""
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_complete(place: Path) -> bool:
    """Whether everything that it holds was installed."""
    return (place / "complete").exists()


def create_environment(place: Path, requirements: Path) -> str:
    """Make an environment with exactly what a file of pinned and hashed requirements says.

    Returns:
        What stopped it from being made, empty where nothing did.
    """
    uv = os.environ.get("UV", "uv")
    python = environment_python(place)
    install = ("pip", "install", "--require-hashes", "--requirement", requirements)
    for command in (
        ("venv", "--clear", "--python", sys.executable, place),
        (*install, "--python", python),
    ):
        done = subprocess.run(
            [uv, "--quiet", *map(str, command)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            # uv says what it was about to do, then the cause, in lines as wide as its terminal.
            cause = " ".join(done.stderr.split()).removeprefix("error: ").rpartition("cause: ")[2]
            return cause or "uv did not say why"
    (place / "complete").touch()
    return ""


def isolated_variables() -> dict[str, str]:
    """The environment variables for a process there, as if nothing of the project were known."""
    # What it compiles is kept for the next time.
    left_out = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in left_out}
