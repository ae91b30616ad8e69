"""Measure the feature step inside a project; print seconds of user CPU time as JSON."""

import importlib
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import narwhals as nw
from flight_delays.contracts.engine import BACKEND
from flight_delays.features import (
    airports_by_code,
    build,
    build_features,
    planes_by_tail_number,
    schedule,
    scheduled_flights,
)

import row_wise

TIMES = 9
SAMPLE = 2000

by_hand = importlib.import_module(f"by_hand_{BACKEND}")
equal = importlib.import_module(f"{BACKEND}.testing").assert_frame_equal


def main(raw: Path) -> None:
    """Assert that all implementations give the same table, then time them in turns."""
    names = ("flights", "weather", "planes", "airports")
    tables = {
        name: nw.read_parquet(str(raw / f"{name}.parquet"), backend=BACKEND) for name in names
    }
    native = {name: table.to_native() for name, table in tables.items()}

    def registers() -> Any:
        return planes_by_tail_number(native["planes"]), airports_by_code(native["airports"])

    def ours() -> Any:
        scheduled = schedule.schedule(tables["flights"], tables["weather"])
        return build.features(scheduled, *registers()).to_native()

    def hand_written() -> Any:
        scheduled = by_hand.schedule(native["flights"], native["weather"])
        return by_hand.features(scheduled, native["planes"], native["airports"])

    def typed() -> Any:
        scheduled = scheduled_flights(native["flights"], native["weather"])
        return build_features(scheduled, *registers())

    expected = ours()
    equal(hand_written()[list(expected.columns)], expected)  # the order of rows may differ
    equal(typed(), expected)
    scheduled = schedule.schedule(tables["flights"], tables["weather"]).to_native()
    equal(by_hand.schedule(native["flights"], native["weather"]), scheduled)

    # Rows of the whole year; a notebook uses pandas with either engine.
    step = len(expected) // SAMPLE
    plain = {name: table.to_pandas() for name, table in tables.items()}
    sample = plain["flights"].iloc[::step]
    others = (plain["weather"], plain["planes"], plain["airports"])
    row_wise_seconds, table = _timed(lambda: row_wise.features(sample, *others))
    row_wise.assert_same(table, nw.from_native(expected).to_pandas().iloc[::step])

    rounds = [[_timed(way)[0] for way in (ours, hand_written, typed)] for _ in range(TIMES)]
    seconds = dict(zip(("ours", "by_hand", "typed"), zip(*rounds, strict=True), strict=True))
    result = {
        **seconds,
        "row_wise": row_wise_seconds * len(expected) / len(sample),
        "rows": len(expected),
        "sample": len(sample),
    }
    print(json.dumps(result))


def _timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Return the user CPU time of an action, and its result.

    System time is excluded: allocating and freeing memory is expensive, and its time depends on
    the actions before.
    """
    start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    done = action()
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime - start, done


if __name__ == "__main__":
    main(Path(sys.argv[1]))
