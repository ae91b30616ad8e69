"""Print real rows for requests, with the predictions of the registered model, as JSON."""

import json
import sys
from datetime import datetime
from pathlib import Path

import narwhals as nw
from baton_handoff.config.project import find_project
from baton_handoff.contracts import to_rows
from baton_handoff.registry.model_registry import load
from flight_delays.contracts.engine import BACKEND
from flight_delays.features import build_features


def main(count: int) -> None:
    """Select rows of the whole year."""
    project = find_project()
    whole = nw.read_parquet(str(Path("data/scheduled.parquet")), backend=BACKEND)
    rows = nw.maybe_reset_index(whole.gather_every(len(whole) // count).head(count)).to_native()
    loaded = load(project)
    own = loaded.predict.__self__.model  # type: ignore[attr-defined]
    questions = {
        "rows": to_rows(rows),
        "features": to_rows(build_features(rows, own.planes, own.airports)),
        "predictions": [row["late_probability"] for row in to_rows(loaded.predict(rows))],
    }
    print(json.dumps(questions, default=datetime.isoformat))


if __name__ == "__main__":
    main(int(sys.argv[1]))
