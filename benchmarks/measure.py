"""Measuring side by side: every number stands next to its alternative's, from the same run."""

import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.baton import run

POE = ["uv", "run", "--quiet", "poe"]
"""A task of a project, as a person calls it."""


@dataclass(frozen=True)
class Result:
    """One promise, measured.

    Attributes:
        what: What was measured, with its unit.
        measured: The median.
        alternative: What it is compared with, in words.
        compared: The alternative's median, None where a promise has none.
        ratio: The median of the ratios of runs next to each other, None likewise.
        target: What was promised, in words.
        met: Whether it holds.
    """

    what: str
    measured: float
    alternative: str
    compared: float | None
    ratio: float | None
    target: str
    met: bool


def by_turns(*actions: Callable[[], float], times: int) -> list[list[float]]:
    """Measure actions by turns, so that a busy machine slows all of them alike."""
    rounds = [[action() for action in actions] for _ in range(times)]
    return [list(column) for column in zip(*rounds, strict=True)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios within each turn."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def cpu_seconds(
    command: Sequence[str | Path],
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    succeed: bool = True,
) -> float:
    """The CPU time, user and system, of a command and all it starts; unless told, it succeeds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command, folder, env=env, check=succeed)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def wall_seconds(
    commands: Sequence[Sequence[str | Path]],
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    succeed: bool = True,
) -> float:
    """How long commands take, one after another; unless told, each has to succeed."""
    start = time.perf_counter()
    for command in commands:
        run(command, folder, env=env, check=succeed)
    return time.perf_counter() - start


def machine() -> str:
    """The machine in one line, with how busy it was: the number of processes that want a core."""
    load = f"load {os.getloadavg()[1]:.1f} in the last five minutes"
    return (
        f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores, {load}"
    )


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| what | measured | alternative | measured | ratio | target | |",
        "|---|--:|---|--:|--:|---|---|",
        *(
            f"| {r.what} | {r.measured:.3g} | {r.alternative} | {_number(r.compared)}"
            f" | {_number(r.ratio)} | {r.target} | {'met' if r.met else '**missed**'} |"
            for r in results
        ),
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
