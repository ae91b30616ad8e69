"""Batch scoring, compared with a bare loop that predicts for the same file."""

import json
import statistics
from pathlib import Path

from benchmarks.measure import POE, Result
from tests.baton import run

INSIDE = Path(__file__).parent / "inside"
TIMES = 9
SPEED = 0.8


def measure(project: Path) -> list[Result]:
    """Score the flights of a year in a project whose pipeline has run."""
    run([*POE, "register"], project)
    python = project / ".venv" / "bin" / "python"
    one_thread = {"OMP_NUM_THREADS": "1"}  # as in the tasks; threads that wait take CPU time
    timed = run([python, INSIDE / "batch.py", str(TIMES)], project, env=one_thread)
    done = json.loads(timed.stdout)
    # CPU time: the machine is shared.
    ours, bare = ([done["rows"] / cpu / 1000 for _, cpu in done[name]] for name in ("ours", "bare"))
    speed = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    return [
        Result(
            "`model score`, thousand rows a CPU second",
            statistics.median(ours),
            "read, `model.predict`, write: nothing checked but what the model checks itself",
            statistics.median(bare),
            speed,
            f"≥ {SPEED:g} x",
            speed >= SPEED,
        )
    ]
