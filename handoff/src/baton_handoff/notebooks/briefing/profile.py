"""A run of a notebook in a copy of its project: how long each cell takes."""

import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.core.environments import project_environment
from baton_handoff.core.errors import HandoffError
from baton_handoff.notebooks.cells import names_of
from baton_handoff.notebooks.kernel import CellError, TimeLimitError, kernel
from baton_handoff.source_code.modules import Notebook

_LEFT_OUT = {".git", ".venv", "__pycache__", "node_modules", "site"}
_CACHES = (".dvc/cache", ".dvc/tmp")


@dataclass(frozen=True)
class Profile:
    """How long the cells of a notebook ran.

    Attributes:
        seconds: The seconds of each cell by its number, of those that ran.
        unrecordable: The types of the variables that are no tables or plain values.
        error: Why the run did not reach the end; empty if it did.
        cell: The cell in which it ended, 0 if it reached the end.
        fix: What to do about it.
    """

    seconds: Mapping[int, float]
    unrecordable: Mapping[str, str]
    error: str = ""
    cell: int = 0
    fix: str = ""


def profile(project: Project, notebook: Notebook, limit: float) -> Profile:
    """Run a notebook in a fresh kernel and in a copy of its project, which is removed afterwards.

    Args:
        project: The project.
        notebook: The notebook.
        limit: The seconds after which the run is ended.

    Raises:
        HandoffError: There is no space for the copy, or no kernel.
    """
    files = copied_files(project.root)
    with tempfile.TemporaryDirectory(prefix="handoff-") as folder:
        needed = sum(file.lstat().st_size for file in files)
        if needed > shutil.disk_usage(folder).free:
            raise HandoffError(
                f"A copy of the project needs {needed / 1e6:,.0f} MB, more than {folder} has."
            )
        copy = Path(folder)
        for file in files:
            target = copy / file.relative_to(project.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target, follow_symlinks=False)
        return _run(notebook, copy, limit)


def copied_files(root: Path) -> Sequence[Path]:
    """The files of a project that a run may need: with data, without environments and caches."""
    found = []
    environment = project_environment(root).resolve()
    for place, folders, files in os.walk(root):
        here = Path(place)
        folders[:] = [
            one
            for one in folders
            if one not in _LEFT_OUT
            and (here / one).relative_to(root).as_posix() not in _CACHES
            and (here / one).resolve() != environment
        ]
        links = [one for one in folders if (here / one).is_symlink()]
        regular = [one for one in files if (here / one).is_file()]
        found += [here / one for one in (*links, *regular)]
    return found


def _run(notebook: Notebook, copy: Path, limit: float) -> Profile:
    seconds: dict[int, float] = {}
    names = sorted({name for cell in names_of(notebook).cells for name in cell.defined})
    with kernel((copy / notebook.file).parent, before_path=[copy / "src"]) as running:
        end = time.monotonic() + limit
        for number, cell in enumerate(notebook.code, 1):
            begin = time.monotonic()
            try:
                running.run_cells([cell], number, timeout=max(end - begin, 0.0))
            except (CellError, TimeLimitError) as error:
                seconds[number] = time.monotonic() - begin
                late = isinstance(error, TimeLimitError)
                fix = "give it more by `--limit`" if late else "correct the cell or bring its data"
                return Profile(seconds, {}, str(error).rstrip("."), number, fix)
            seconds[number] = time.monotonic() - begin
        kinds: dict[str, str] = running.call("unrecordable", wanted=names)
    return Profile(seconds, {name: kind for name, kind in kinds.items() if kind})
