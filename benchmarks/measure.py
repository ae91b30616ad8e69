"""Compare measurements: each number has the number of its alternative from the same run."""

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
"""The command of a project's tasks."""


@dataclass(frozen=True)
class Result:
    """The measurement of one target.

    Attributes:
        quantity: The measured quantity with its unit.
        measured: The median.
        alternative: The name of the alternative.
        compared: The alternative's median, None without an alternative.
        ratio: The median of the ratios of adjacent runs, None without an alternative.
        target: The target, in words.
        met: Whether the target is met.
    """

    quantity: str
    measured: float
    alternative: str
    compared: float | None
    ratio: float | None
    target: str
    met: bool


def in_turns(*actions: Callable[[], float], times: int) -> list[list[float]]:
    """Measure actions in turns, so that a busy machine slows all of them equally."""
    rounds = [[action() for action in actions] for _ in range(times)]
    return [list(column) for column in zip(*rounds, strict=True)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios within each turn."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def cpu_seconds(
    command: Sequence[str | Path],
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    succeed: bool = True,
) -> float:
    """Return the user and system CPU time of a command and its children; it must `succeed`."""
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
    """Return the wall time of commands one after another; each must `succeed`."""
    start = time.perf_counter()
    for command in commands:
        run(command, folder, env=env, check=succeed)
    return time.perf_counter() - start


def machine() -> str:
    """Return the machine in one line, with its load: the number of runnable processes."""
    load = f"load {os.getloadavg()[1]:.1f} in the last five minutes"
    return (
        f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores, {load}"
    )


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| what | measured | alternative | measured | ratio | target | |",
        "|---|--:|---|--:|--:|---|---|",
        *(
            f"| {r.quantity} | {r.measured:.3g} | {r.alternative} | {_number(r.compared)}"
            f" | {_number(r.ratio)} | {r.target} | {'met' if r.met else '**missed**'} |"
            for r in results
        ),
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
