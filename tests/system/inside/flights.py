"""Write the flights of one day of the evaluation as a client sends them.

    python flights.py DAY TO

Runs in a flights project with a registered version. TO gets a line of JSON for each flight, sorted
by time: its departure in seconds since midnight of New York, whether it was late, and its row.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

import pandas as pd
from baton_handoff.config.project import find_project
from baton_handoff.contracts import to_rows
from baton_handoff.monitoring.monitor import load_baseline

TIME = "scheduled_departure"


def main(day: str, to: Path) -> None:
    """Write the flights."""
    evaluation = load_baseline(find_project()).evaluation
    midnight = pd.Timestamp(day, tz="America/New_York")
    since = (evaluation.rows[TIME] - midnight).dt.total_seconds()
    table = evaluation.rows.assign(at=since, late=evaluation.labels)
    table = table[(since >= 0) & (since < 24 * 3600)].sort_values(["at", "carrier"], kind="stable")
    with to.open("w", encoding="utf-8") as lines:
        for row in to_rows(table):
            at, late = row.pop("at"), row.pop("late")
            flight = {"at": at, "late": bool(late), "row": row}
            lines.write(json.dumps(flight, default=datetime.isoformat) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
