"""Finding a repository that was not made with Baton, and reading many files of it quickly."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from baton_handoff.config.project import Project

_MARKERS = (".git", "pyproject.toml", "setup.py", "requirements.txt", "environment.yml", "Pipfile")
"""Files and folders in the root of a repository, or of one of several projects in it."""


def find_repository(start: Path | None = None) -> Project:
    """Find the nearest folder upwards with git or a list of packages; `start` if there is none."""
    start = (start or Path.cwd()).resolve()
    marked = (
        folder
        for folder in (start, *start.parents)
        if any((folder / marker).exists() for marker in _MARKERS)
    )
    root = next(marked, start)
    return Project(root, package="", model="", alias="", name=root.name, adopted=False)


@contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """Disable the garbage collector while parsing; with many ASTs it takes half the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
