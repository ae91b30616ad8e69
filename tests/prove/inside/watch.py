"""The months after the training, watched, as they were and with what goes wrong in life.

    python watch.py TO

Runs in a flights project with a registered version. TO is a JSON file: for each case by its name
what was found, each as check, side, whether it blocks, and message.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from baton_handoff.config.project import Project, find_project
from baton_handoff.contracts import model_interface
from baton_handoff.monitoring.alerts import alerts
from baton_handoff.monitoring.inputs import Watched, from_file
from baton_handoff.monitoring.monitor import Asked, Known, Period, known_of, look, watch
from pyarrow import parquet

SHUFFLES, ROWS = 100, 800
TIME = "scheduled_departure"
UNITS = {
    "temperature_f": lambda v: (v - 32) * 5 / 9,  # °C, within the contract's range
    "dew_point_f": lambda v: (v - 32) * 5 / 9,
    "wind_speed_mph": lambda v: v * 1.609344,  # km/h, likewise
    "humidity_pct": lambda v: v / 100,  # a share, likewise
    "visibility_mi": lambda v: v * 1.609344,  # km, partly beyond it
    "pressure_hpa": lambda v: v * 0.0295299831,  # inches of mercury, far below it
}


def main(to: Path) -> None:
    """Watch every case."""
    project = find_project()
    known = known_of(project)
    table = known.evaluation.rows.sort_values(TIME, ignore_index=True)
    month = table[TIME].dt.tz_convert("America/New_York").dt.month
    october = table[month == 10].reset_index(drop=True)
    found = {
        **dict(months(project, known, month)),
        **{f"quiet {n}": said(project, known, batch) for n, batch in enumerate(batches(table, 10))},
        **{
            f"{column} {n}": said(project, known, batch.assign(**{column: change(batch[column])}))
            for column, change in UNITS.items()
            for n, batch in enumerate(batches(october, 3))
        },
        **{
            f"without {carrier}": said(project, known, october[october["carrier"] != carrier])
            for carrier, share in october["carrier"].value_counts(normalize=True).items()
            if share > 0.01
        },
        **{f"shuffle {n}": finds for n, finds in enumerate(shuffles(project, known, october))},
    }
    to.write_text(json.dumps(found), encoding="utf-8")


def months(project: Project, known: Known, month: pd.Series) -> Iterator[tuple[str, Any]]:
    """Each of the three months with what came true, through files as a team has them."""
    rows, truth = Path("rows.parquet"), Path("truth.parquet")
    evaluation = known.evaluation
    parquet.write_table(pa.Table.from_pandas(evaluation.rows, preserve_index=False), rows)
    key = ["carrier", "flight_number", TIME]
    evaluation.rows[key].assign(late=evaluation.labels).to_parquet(truth)
    midnight = {10: "2013-10-01", 11: "2013-11-01", 12: "2013-12-01", 13: "2014-01-01"}
    moments = {n: pd.Timestamp(day, tz="America/New_York") for n, day in midnight.items()}
    for number in sorted(month.unique()):
        period = Period(moments[number], moments[number + 1])
        seen = watch(project, Asked(rows=rows, truth=truth, period=period))
        assert seen.truths == seen.rows == (month == number).sum()
        yield f"month {number}", listed(alerts(seen))


def batches(table: pd.DataFrame, count: int) -> Iterator[pd.DataFrame]:
    """Rows as they follow each other, about a day's, from all over a table."""
    for start in range(0, len(table) - ROWS, len(table) // count):
        yield table[start : start + ROWS].reset_index(drop=True)


def said(project: Project, known: Known, rows: pd.DataFrame) -> list[Any]:
    """What is found in rows that nobody knows the truth of yet."""
    file = Path("batch.parquet")
    rows.to_parquet(file, index=False)
    contracts = model_interface(project.room("contracts"))
    watched = from_file(known.loaded, contracts, file, known.evaluation, Period())
    return listed(alerts(look(known, watched, project.monitor)))


def shuffles(project: Project, known: Known, now: pd.DataFrame) -> Iterator[list[Any]]:
    """What was learnt and what is new, mixed: nothing is new in the one or the other."""
    learnt = known.evaluation.training_sample
    assert learnt is not None
    both = pd.concat([learnt, now[:5000]], ignore_index=True)
    for seed in range(SHUFFLES):
        mixed = both.sample(frac=1, random_state=seed, ignore_index=True)
        drawn, rest = mixed[: len(mixed) // 5], mixed[len(mixed) // 5 :].reset_index(drop=True)
        before = replace(known, evaluation=replace(known.evaluation, training_sample=rest))
        answers = known.loaded.predict(drawn)[known.evaluation.prediction_column]
        watched = Watched(drawn, answers, drawn[TIME], None, Counter(), Counter())
        yield listed(alerts(look(before, watched, project.monitor)))


def listed(findings: Any) -> list[Any]:
    """Findings as JSON has them."""
    return [[f.check, f.side, f.blocks, f.message] for f in findings]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
