"""Environments: the running interpreter's own, and others made from pinned requirements."""

import os
import subprocess
import sys
from pathlib import Path


def use_own_programs() -> None:
    """Let each program that this process starts find the interpreter's programs before others.

    So a command works in an environment that is not active: `.venv/bin/handoff`.
    """
    folder = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if path.split(os.pathsep)[0] != folder:
        os.environ["PATH"] = os.pathsep.join([folder, path])


def environment_python(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_complete(folder: Path) -> bool:
    """Whether an environment exists and everything was installed into it."""
    return (folder / "complete").exists()


def create_environment(folder: Path, requirements: Path) -> str:
    """Create an environment from a file of pinned and hashed requirements.

    Returns:
        The error of uv; empty if there is none.
    """
    uv = os.environ.get("UV", "uv")
    python = environment_python(folder)
    install = ("pip", "install", "--require-hashes", "--requirement", requirements)
    for command in (
        ("venv", "--clear", "--python", sys.executable, folder),
        (*install, "--python", python),
    ):
        done = subprocess.run(
            [uv, "--quiet", *map(str, command)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            # uv prints what it was doing, then the cause, in lines as wide as its terminal.
            cause = " ".join(done.stderr.split()).removeprefix("error: ").rpartition("cause: ")[2]
            return cause or "uv printed no reason"
    (folder / "complete").touch()
    return ""


def isolated_variables() -> dict[str, str]:
    """The environment variables for a process that must not see the project's packages."""
    # Compiled modules are written, so that the next run starts faster.
    left_out = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in left_out}
