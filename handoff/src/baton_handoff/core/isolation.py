"""Processes that run code of which nothing is trusted, above all that of a model version.

Unpickling a model runs whatever its author has put into it. So such a process gets few variables
and no rights, it ends with the process that started it, and its memory, processes and files are
limited. On Linux, namespaces also take the network and everybody's files away from it.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from baton_handoff.core import isolated_start

_VARIABLES = (
    *("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "JAVA_HOME"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("POLARS_MAX_THREADS", "LOKY_MAX_CPU_COUNT", "PYTHONHASHSEED"),
    *("SYSTEMROOT", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSOR", "PROCESSOR_ARCHITECTURE"),
)
"""The variables that such a process gets, beside LC_…: none of them holds a secret."""

_GIB = 2**30


@dataclass(frozen=True)
class Settings:
    """What one such process may have.

    Attributes:
        folder: Its working directory.
        visible: The files and folders that it may read, beside the system's.
        writable: The folders that it may write, beside /tmp.
        root: An empty folder, which becomes the place of its root folder.
        namespaces: Whether it gets namespaces of its own.
        limits: The most bytes of memory of one process, of a file and of /tmp, and the most
            processes and threads; Linux does not count those of root.
        parent: The process that starts it.
    """

    folder: str
    visible: Sequence[str]
    writable: Sequence[str]
    root: str
    namespaces: bool
    limits: Mapping[str, int] = field(
        default_factory=lambda: {
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "file": 8 * _GIB,
            "tmp": _GIB,
            "processes": 4096,
        }
    )
    parent: int = field(default_factory=os.getpid)


def start_isolated(
    command: Sequence[str | Path],
    folder: Path,
    visible: Iterable[Path] = (),
    writable: Iterable[Path] = (),
    variables: Mapping[str, str] | None = None,
    **options: Any,
) -> "subprocess.Popen[str]":
    """Start a program of which nothing is trusted.

    Args:
        command: The program, by its path, and its arguments. If it is a Python, everything that it
            needs to run is visible.
        folder: Its working directory.
        visible: The files and folders that it may read, beside programs and libraries.
        writable: The folders that it may write.
        variables: Variables in addition to the allowed ones of this process.
        options: Options of `subprocess.Popen`.
    """
    arguments = [str(part) for part in command]
    allowed = allowed_variables() | {"HOME": tempfile.gettempdir(), **(variables or {})}
    is_separate = not missing_namespaces()
    if is_separate:
        allowed |= {"HOME": "/tmp", "TMPDIR": "/tmp"}  # noqa: S108 - of the process alone
    if os.name == "nt":
        return subprocess.Popen(arguments, cwd=folder, env=allowed, text=True, **options)
    settings = Settings(
        folder=str(folder),
        visible=[*map(str, visible), *_python_folders(Path(arguments[0]))],
        writable=[*map(str, writable)],
        root=_empty_folder(),
        namespaces=is_separate,
    )
    start = [sys.executable, "-I", isolated_start.__file__, json.dumps(asdict(settings))]
    return subprocess.Popen([*start, *arguments], env=allowed, text=True, **options)


def allowed_variables() -> dict[str, str]:
    """The variables of this process that hold no secret and that numerical code needs."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _VARIABLES or name.startswith("LC_")
    }


@cache
def missing_namespaces() -> str:
    """Why this system gives an isolated process no namespaces, empty if it does."""
    if sys.platform != "linux":
        return f"{sys.platform} has none"
    visible = _python_folders(Path(sys.executable))
    settings = Settings("/", visible, [], _empty_folder(), namespaces=True)
    start = [sys.executable, "-I", isolated_start.__file__, json.dumps(asdict(settings))]
    command = [*start, sys.executable, "-I", "-S", "-c", ""]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def _python_folders(python: Path) -> list[str]:
    """The folders that a Python needs: its environment, and those that links lead to from there."""
    links = [python]
    while links[-1].is_symlink():
        links.append(links[-1].parent / links[-1].readlink())
    folders = [link.parent.parent for link in links]
    if python == Path(sys.executable):
        folders += [Path(sys.prefix), Path(sys.base_prefix)]
    return [str(folder) for folder in dict.fromkeys(folders) if _is_python(folder)]


def _is_python(folder: Path) -> bool:
    is_home = Path.home().is_relative_to(folder)
    return not is_home and ((folder / "pyvenv.cfg").exists() or any(folder.glob("lib/python3*")))


@cache
def _empty_folder() -> str:
    """An empty folder; what is mounted on it is seen only by the process that mounts it."""
    folder = tempfile.mkdtemp(prefix="handoff-root-")
    atexit.register(os.rmdir, folder)
    return folder
