"""The time of `status` from stored evidence, compared with a new run of all checks."""

import statistics
from pathlib import Path

from benchmarks.measure import POE, Result, in_turns, ratio, wall_seconds
from tests.baton import run

TIMES = 5
LIMIT = 3.0


def measure(project: Path) -> list[Result]:
    """Measure the wall time in a committed and tested project after set-up."""
    run([*POE, "check"], project)
    run([*POE, "test"], project)
    known, anew = in_turns(
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
