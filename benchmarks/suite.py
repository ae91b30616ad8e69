"""The parts of the benchmarks and their shared projects."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks import (
    batch,
    catches,
    changes,
    ci,
    containers,
    editing,
    features,
    fleet,
    generate,
    lifts,
    notebooks,
    pipeline,
    serving,
    status,
    unmanaged,
    window,
)
from benchmarks.measure import POE, Result, table
from tests.baton import commit, export, release, render, run


class Bench:
    """The measured projects, each created in a folder on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        os.environ.pop("VIRTUAL_ENV", None)  # Baton's own environment, not that of a project
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users work with bytecode caches

    @cached_property
    def baton(self) -> Path:
        """Return the template as a git repository with one version."""
        folder = export(self.folder / "baton")
        release(folder, "v1.0.0")
        return folder

    @cached_property
    def project(self) -> Path:
        """Return a committed flights project after set-up."""
        project = render(self.baton, self.folder / "flight-delays", {})
        run([*POE, "setup"], project)
        commit(project, "as set up")
        return project

    @cached_property
    def with_data(self) -> Path:
        """Return the same project after a run of its pipeline."""
        run([*POE, "pipeline"], self.project)
        return self.project

    @cached_property
    def polars(self) -> Path:
        """Return the same project with polars; only its code is used."""
        return render(self.baton, self.folder / "in-polars", {"dataframe": "polars"})


@dataclass(frozen=True)
class Section:
    """The results of a part.

    Attributes:
        text: A Markdown table.
        met: Whether every target is met.
    """

    text: str
    met: bool = True


def _measured(results: Sequence[Result], note: str = "") -> Section:
    return Section(table(results) + note.rstrip(), all(result.met for result in results))


def _features(bench: Bench) -> Section:
    return _measured(
        [
            *features.measure(bench.with_data, bench.project, "pandas"),
            *features.measure(bench.with_data, bench.polars, "polars"),
        ]
    )


PARTS: dict[str, Callable[[Bench], Section]] = {
    "generate": lambda bench: _measured(generate.measure(bench.folder, bench.baton)),
    "pipeline": lambda bench: _measured(pipeline.measure(bench.project)),
    "features": _features,
    "status": lambda bench: _measured(status.measure(bench.project)),
    "unmanaged": lambda bench: _measured(unmanaged.measure(bench.folder, bench.project)),
    "fleet": lambda bench: _measured(fleet.measure(bench.folder, bench.baton)),
    "notebooks": lambda bench: _measured(notebooks.measure(bench.project)),
    "lifts": lambda bench: Section(lifts.compare(bench.project, bench.folder)),
    "serving": lambda bench: _measured(serving.measure(bench.with_data)),
    "batch": lambda bench: _measured(batch.measure(bench.with_data)),
    "editing": lambda bench: _measured(editing.measure(bench.project)),
    "window": lambda bench: _measured(window.measure(bench.project, bench.folder)),
    "changes": lambda bench: _measured(changes.measure(bench.project)),
    "containers": lambda bench: _measured(
        containers.measure(bench.folder, bench.baton), containers.NOTE
    ),
    "ci": lambda bench: Section(*ci.measure(bench.folder)),
    "catches": lambda bench: Section(catches.compare(bench.project, bench.folder)),
}
"""The parts of `python -m benchmarks` by the name of their module."""
