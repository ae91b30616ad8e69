"""Steps of features for each row of a table, and in the forms for whole columns that scan gives.

Prints the seconds of both, after it has compared their values.
"""

import json
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from baton_handoff.notebooks.scan import Known, scan
from baton_handoff.source_code.modules import parse_module

ROWS = 100_000
STEPS = [
    "flights['speed'] = flights.apply(lambda f: f['distance'] / f['air_time'] * 60, axis=1)",
    "flights['late'] = flights.apply(lambda f: 1 if f['delay'] > 15 else 0, axis=1)",
    "flights['far'] = flights.apply(lambda f: f['distance'] > 1000 and f['delay'] > 0, axis=1)",
]


def main() -> None:
    """Measure, compare and print."""
    cells = [{"cell_type": "code", "outputs": [], "source": step} for step in STEPS]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    places = scan([parse_module("steps.ipynb", text)], Known(), with_ruff=False)
    forms = [one.match.form for one in places if one.rule.name == "row-by-row"]
    if len(forms) != len(STEPS):
        raise SystemExit(f"The scan gives {len(forms)} forms for {len(STEPS)} steps.")
    by_column, whole = _run(forms, 5)
    by_row, single = _run(STEPS, 1)
    pd.testing.assert_frame_equal(whole, single)
    print(json.dumps([by_column, by_row]))


def _run(code: Sequence[str], times: int) -> tuple[float, pd.DataFrame]:
    """The median of the seconds that code takes, and the table with its columns."""
    random = np.random.default_rng(3)
    flights = pd.DataFrame(
        {
            "delay": random.integers(-20, 200, ROWS).astype(float),
            "distance": random.integers(80, 3000, ROWS),
            "air_time": random.integers(20, 400, ROWS),
        }
    )
    space = {"flights": flights, "np": np, "pd": pd}
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        for one in code:
            exec(one, space)  # noqa: S102 - the code above
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[times // 2], flights


if __name__ == "__main__":
    main()
