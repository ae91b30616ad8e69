"""The scan of 50 notebooks, compared with all rules of ruff; steps of rows, for whole columns."""

import json
import re
import statistics
from pathlib import Path

from benchmarks.measure import Result, in_turns, ratio, wall_seconds
from tests.baton import run as run_program

CORPUS = Path(__file__).parent.parent / "handoff/tests/notebooks/corpus.txt"
NOTEBOOKS = 50
TIMES = 5
LIMIT = 5.0
STEPS = Path(__file__).parent / "inside" / "row_steps.py"
FASTER = 50


def measure(project: Path) -> list[Result]:
    """Measure the wall time in a project after set-up, with the notebooks of the corpus in it."""
    folder = project / "notebooks" / "measured"
    folder.mkdir(exist_ok=True)
    texts = CORPUS.read_text(encoding="utf-8").split("=== ")[1:]
    for number in range(NOTEBOOKS):
        _, _, text = texts[number % len(texts)].partition("\n")
        cells = [
            {"cell_type": "code", "source": source, "outputs": [], "metadata": {}}
            for source in re.sub(r"  # <- .*", "", text).split("# %%\n")
        ]
        content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        (folder / f"{number}.ipynb").write_text(json.dumps(content), encoding="utf-8")
    run = ("uv", "run", "--no-sync")
    select = ("--isolated", "--no-cache", "--exit-zero", "--quiet", "--select", "ALL")
    ours, theirs = in_turns(
        lambda: wall_seconds([[*run, "handoff", "notebook", "scan", folder]], project),
        lambda: wall_seconds([[*run, "ruff", "check", *select, folder]], project),
        times=TIMES,
    )
    seconds = statistics.median(ours)
    by_column, by_row = json.loads(run_program([*run, "python", STEPS], project).stdout)
    return [
        Result(
            f"scan of {NOTEBOOKS} notebooks, s",
            seconds,
            "all rules of ruff",
            statistics.median(theirs),
            ratio(ours, theirs),
            f"< {LIMIT:g} s",
            seconds < LIMIT,
        ),
        Result(
            "three steps on 100,000 rows as the scan suggests, equal values, s",
            by_column,
            "row by row",
            by_row,
            by_column / by_row,
            f"{FASTER} times faster",
            by_column * FASTER <= by_row,
        ),
    ]
