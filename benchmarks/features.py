"""The feature step on all flights, compared with hand-written code and notebook-style code."""

import json
import os
import statistics
from pathlib import Path
from typing import Any

from benchmarks.measure import Result, ratio
from tests.baton import run

INSIDE = Path(__file__).parent / "inside"
TARGET = 1.3
TIMES_FASTER = 100


def measure(project: Path, source: Path, engine: str) -> list[Result]:
    """Measure the step's user CPU time: the machine may be busy, and one engine uses all cores.

    Args:
        project: A pandas project whose pipeline has run; its environment holds both engines.
        source: The project whose features are measured.
        engine: The engine of this project.
    """
    own = {
        "PYTHONPATH": os.pathsep.join([str(source / "src"), str(INSIDE)]),
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    python = project / ".venv" / "bin" / "python"
    result = run([python, INSIDE / "features.py", project / "data" / "raw"], source, env=own)
    seconds: dict[str, Any] = json.loads(result.stdout)
    ours, by_hand, typed = seconds["ours"], seconds["by_hand"], seconds["typed"]
    row_wise: float = seconds["row_wise"]
    faster = row_wise / statistics.median(ours)
    rows, sample = f"{seconds['rows']:,}", f"{seconds['sample']:,}"
    return [
        Result(
            f"features of {rows} flights, {engine}, user CPU s",
            statistics.median(ours),
            f"hand-written {engine}",
            statistics.median(by_hand),
            ratio(ours, by_hand),
            f"≤ {TARGET} x",
            ratio(ours, by_hand) <= TARGET,
        ),
        Result(
            f"the same, {engine}, user CPU s",
            statistics.median(ours),
            f"`apply` row by row, extrapolated from {sample} flights",
            row_wise,
            1 / faster,
            f"{TIMES_FASTER} times faster: {faster:.0f}",
            faster >= TIMES_FASTER,
        ),
        Result(
            f"the same behind contracts, {engine}, user CPU s",
            statistics.median(typed),
            "the same without validation",
            statistics.median(ours),
            ratio(typed, ours),
            "none: stated",
            True,
        ),
    ]
