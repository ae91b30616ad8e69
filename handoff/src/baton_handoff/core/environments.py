"""Environments: the running interpreter's own, and others made from pinned requirements."""

import os
import re
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = "handoff"
"""The folder of an environment for this command alone, where a project's own can't have it."""


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


def project_environment(root: Path) -> Path:
    """The folder of a project's own environment, wherever uv puts it."""
    return root / (os.environ.get("UV_PROJECT_ENVIRONMENT") or ".venv")


_START = re.compile(
    rb"#!(?:/bin/sh\n'''exec' ['\"]?)?(?P<prefix>/[^\n'\"]*?)/bin/(?P<python>python[\w.]*)[^\n]*\n"
    rb"(?:' '''\n)?"
)
"""The start of an installed program; the longer form is for paths that a kernel can't take."""

_KERNEL_TAKES = 126
"""Bytes of an interpreter's path in a first line that every kernel takes."""


def programs_of_another_place(environment: Path) -> dict[Path, bytes]:
    """The programs of an environment that start the Python of another folder.

    An environment that was copied, moved or renamed has such programs.

    Returns:
        For each program the folder of that other environment, as the program has it.
    """
    if not (environment / "pyvenv.cfg").is_file():
        return {}
    found, here = {}, environment.resolve()
    for file in sorted((environment / "bin").glob("*")):
        if file.is_symlink() or not file.is_file():
            continue
        with file.open("rb") as opened:
            start = _START.match(opened.read(4096))
        if start and Path(os.fsdecode(start["prefix"])).resolve() != here:
            found[file] = start["prefix"]
    return found


def repair_programs(environment: Path) -> int:
    """Make every program of an environment start its own Python; return how many did not."""
    found = programs_of_another_place(environment)
    here = os.fsencode(environment.resolve())

    def start(former: re.Match[bytes]) -> bytes:
        python = here + b"/bin/" + former["python"]
        if b" " in python or len(python) > _KERNEL_TAKES:
            return b"#!/bin/sh\n'''exec' '%s' \"$0\" \"$@\"\n' '''\n" % python
        return b"#!%s\n" % python

    for file in found:
        file.write_bytes(_START.sub(start, file.read_bytes(), count=1))
    for file in (environment / "bin").glob("activate*"):
        text = file.read_bytes()
        for prefix in {*found.values()}:
            text = text.replace(prefix, here)
        file.write_bytes(text)
    return len(found)


def is_complete(folder: Path) -> bool:
    """Whether an environment exists and everything was installed into it."""
    return (folder / "complete").exists()


def create_environment(folder: Path, requirements: Path) -> str:
    """Create an environment from pinned and hashed requirements; return uv's error, if any."""
    uv = os.environ.get("UV", "uv")
    python = environment_python(folder)
    install = ("pip", "install", "--require-hashes", "--requirement", requirements)
    for command in (
        ("venv", "--clear", "--python", sys.executable, folder),
        (*install, "--python", python),
    ):
        done = subprocess.run(
            [uv, "--quiet", *map(str, command)],
            env={k: v for k, v in os.environ.items() if _BUILD_VARIABLES.fullmatch(k.upper())},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            # uv prints what it was doing, then the cause, in lines as wide as its terminal.
            cause = " ".join(done.stderr.split()).removeprefix("error: ").rpartition("cause: ")[2]
            return cause or "uv printed no reason"
    (folder / "complete").touch()
    return ""


_BUILD_VARIABLES = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TZ|TE?MP|TMPDIR|XDG_.*|UV|UV_.*|.*_PROXY|(SSL|CURL|REQUESTS)_.*"
    r"|SYSTEMROOT|COMSPEC|PATHEXT|(LOCAL)?APPDATA|USERPROFILE|PROGRAM.*"
)
"""What uv needs to find and to build packages; a package that is built may read all of them."""


def isolated_variables() -> dict[str, str]:
    """The environment variables for a process that must not see the project's packages."""
    # Compiled modules are written, so that the next run starts faster.
    left_out = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in left_out}
