"""Monitor the months after the training, unchanged and with injected changes.

    python watch.py TO

Runs in a flights project with a registered version. TO is a JSON file: the findings of each case by
its name, each as check, side, whether it blocks, and message.
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
from baton_handoff.monitoring.alerts import alerts_of
from baton_handoff.monitoring.inputs import (
    BaselineVersion,
    Period,
    PredictedRows,
    rows_from_file,
)
from baton_handoff.monitoring.messages import findings_of
from baton_handoff.monitoring.monitor import (
    MonitorOptions,
    load_baseline,
    monitor,
    observe,
)
from baton_handoff.monitoring.observation import Observation
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
    """Monitor all cases."""
    project = find_project()
    baseline = load_baseline(project)
    table = baseline.evaluation.rows.sort_values(TIME, ignore_index=True)
    month = table[TIME].dt.tz_convert("America/New_York").dt.month
    october = table[month == 10].reset_index(drop=True)
    found = {
        **dict(months(project, baseline, month)),
        **{
            f"quiet {n}": findings(project, baseline, batch)
            for n, batch in enumerate(batches(table, 10))
        },
        **{
            f"{column} {n}": findings(
                project, baseline, batch.assign(**{column: change(batch[column])})
            )
            for column, change in UNITS.items()
            for n, batch in enumerate(batches(october, 3))
        },
        **{
            f"without {carrier}": findings(
                project, baseline, october[october["carrier"] != carrier]
            )
            for carrier, share in october["carrier"].value_counts(normalize=True).items()
            if share > 0.01
        },
        **{f"shuffle {n}": rows for n, rows in enumerate(shuffles(project, baseline, october))},
    }
    to.write_text(json.dumps(found), encoding="utf-8")


def months(
    project: Project, baseline: BaselineVersion, month: pd.Series
) -> Iterator[tuple[str, Any]]:
    """Monitor each of the three months with its labels, from files as a team has them."""
    rows, labels = Path("rows.parquet"), Path("labels.parquet")
    evaluation = baseline.evaluation
    parquet.write_table(pa.Table.from_pandas(evaluation.rows, preserve_index=False), rows)
    key = ["carrier", "flight_number", TIME]
    evaluation.rows[key].assign(late=evaluation.labels).to_parquet(labels)
    midnight = {10: "2013-10-01", 11: "2013-11-01", 12: "2013-12-01", 13: "2014-01-01"}
    times = {n: pd.Timestamp(day, tz="America/New_York") for n, day in midnight.items()}
    for number in sorted(month.unique()):
        period = Period(times[number], times[number + 1])
        observation = monitor(project, MonitorOptions(rows=rows, labels=labels, period=period))
        assert observation.labelled_rows == observation.rows == (month == number).sum()
        yield f"month {number}", listed(observation)


def batches(table: pd.DataFrame, count: int) -> Iterator[pd.DataFrame]:
    """Return batches of consecutive rows, about one day each, from all parts of a table."""
    for start in range(0, len(table) - ROWS, len(table) // count):
        yield table[start : start + ROWS].reset_index(drop=True)


def findings(project: Project, baseline: BaselineVersion, rows: pd.DataFrame) -> list[Any]:
    """Return the findings for rows without labels."""
    file = Path("batch.parquet")
    rows.to_parquet(file, index=False)
    predicted = rows_from_file(baseline, file, Period())
    return listed(observe(baseline, predicted, project.monitor))


def shuffles(
    project: Project, baseline: BaselineVersion, current: pd.DataFrame
) -> Iterator[list[Any]]:
    """Shuffle training rows and new rows, so that neither part has drifted from the other."""
    sample = baseline.evaluation.training_sample
    assert sample is not None
    both = pd.concat([sample, current[:5000]], ignore_index=True)
    for seed in range(SHUFFLES):
        mixed = both.sample(frac=1, random_state=seed, ignore_index=True)
        drawn, rest = mixed[: len(mixed) // 5], mixed[len(mixed) // 5 :].reset_index(drop=True)
        evaluation = replace(baseline.evaluation, training_sample=rest)
        answers = baseline.loaded.predict(drawn)[evaluation.prediction_column]
        rows = PredictedRows(drawn, answers, drawn[TIME], None, Counter())
        yield listed(observe(replace(baseline, evaluation=evaluation), rows, project.monitor))


def listed(observation: Observation) -> list[Any]:
    """Return the findings of an observation as JSON values."""
    found = findings_of(alerts_of(observation), observation)
    return [[f.check, f.side, f.blocks, f.message] for f in found]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
