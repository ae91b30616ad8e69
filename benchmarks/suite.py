"""All benchmarks, in projects that are generated and set up for them."""

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks import features, generate, pipeline
from benchmarks.measure import Result
from tests.baton import render, run


def measure(folder: Path) -> Iterator[Result]:
    """Measure everything, yielding what is known as soon as it is."""
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    os.environ.pop("VIRTUAL_ENV", None)  # Baton's, which is no project's
    yield from generate.measure(folder)
    project = render(folder / "baton", folder / "flight-delays", {})
    run(["uv", "run", "--quiet", "poe", "setup"], project)
    yield from pipeline.measure(project)
    polars = render(folder / "baton", folder / "in-polars", {"dataframe": "polars"})
    yield from features.measure(project, project, "pandas")
    yield from features.measure(project, polars, "polars")
