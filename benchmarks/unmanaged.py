"""`status` of a repository that Baton did not make, compared with ruff and nbconvert there."""

import json
import statistics
import sys
from pathlib import Path

from benchmarks.measure import Result, cpu_seconds, in_turns, ratio
from tests.baton import run

MODULES = NOTEBOOKS = 100
TIMES = 5
LIMIT = 2.0

STEP = """

def step_{number}(table, share: float = 0.5):
    rows = table[table.share > share].assign(late=lambda rows: rows.delay > 15)
    return rows.sort_values("delay")
"""
MODULE = """import joblib
import pandas as pd
from sklearn.linear_model import Ridge

table = pd.read_csv("data/trips_{number}.csv")
model = Ridge()
model.fit(table[["share"]], table["delay"])
joblib.dump(model, "model_{number}.joblib")
"""


def measure(folder: Path, project: Path) -> list[Result]:
    """Measure the CPU time for 100 modules and 100 notebooks, with the tools of a project."""
    root = folder / "grown"
    for number in range(MODULES):
        text = MODULE.format(number=number) + "".join(STEP.format(number=n) for n in range(15))
        module = root / f"src/p{number % 10}/m{number}.py"
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(text, encoding="utf-8")
        output = {"output_type": "stream", "name": "stdout", "text": ["x" * 5_000]}
        cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": [output]}
        content = {"cells": [{**cell, "source": text}], "metadata": {}}
        notebook = json.dumps({**content, "nbformat": 4, "nbformat_minor": 4})
        (root / f"{number}.ipynb").write_text(notebook, encoding="utf-8")
    run(["git", "init", "--quiet"], root)
    run(["git", "add", "--all"], root)
    environment = project / ".venv" / ("Scripts" if sys.platform == "win32" else "bin")
    lint: list[str | Path] = [
        environment / "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--exit-zero",
        "--quiet",
    ]
    convert: list[str | Path] = [
        environment / "jupyter",
        "nbconvert",
        "--to",
        "script",
        "--log-level",
        "ERROR",
    ]
    ours, theirs, converted = in_turns(
        lambda: cpu_seconds([environment / "handoff", "status"], root),
        lambda: cpu_seconds([*lint, "--select", "ALL", "."], root),
        lambda: cpu_seconds(
            [*convert, "--output-dir", folder / "scripts", *root.glob("*.ipynb")], root
        ),
        times=TIMES,
    )
    both = [one + other for one, other in zip(theirs, converted, strict=True)]
    seconds = statistics.median(ours)
    return [
        Result(
            f"status of {MODULES} modules and {NOTEBOOKS} notebooks not made with Baton, CPU s",
            seconds,
            "all rules of ruff, then `nbconvert --to script`",
            statistics.median(both),
            ratio(ours, both),
            f"< {LIMIT:g} s",
            seconds < LIMIT,
        )
    ]
