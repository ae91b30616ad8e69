"""Where a project stands, from the evidence that its commands have left, next to looking anew."""

import statistics
from pathlib import Path

from benchmarks.measure import POE, Result, by_turns, ratio, wall_seconds
from tests.baton import run

TIMES = 5
LIMIT = 3.0


def measure(project: Path) -> list[Result]:
    """Seconds on the clock in a project that has been set up, committed and tested."""
    run([*POE, "check"], project)
    run([*POE, "test"], project)
    known, anew = by_turns(
        lambda: wall_seconds([[*POE, "status"]], project),
        lambda: wall_seconds([[*POE, "check"]], project),
        times=TIMES,
    )
    return [
        Result(
            "status from evidence, s",
            statistics.median(known),
            "`poe check`, which leaves a part of it",
            statistics.median(anew),
            ratio(known, anew),
            f"< {LIMIT:g} s",
            statistics.median(known) < LIMIT,
        )
    ]
