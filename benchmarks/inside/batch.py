"""Time batch scoring against a bare loop over the same file, in one process; print JSON."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from baton_handoff.config.project import find_project
from baton_handoff.contracts import model_interface
from baton_handoff.registry.model_registry import load
from baton_handoff.serving.batch import score_file
from pyarrow import parquet

ROWS = 50_000
"""How many rows the bare loop predicts at a time."""


def main(times: int) -> None:
    """Score a file and loop over it in turns."""
    project = find_project()
    loaded = load(project)
    contracts = model_interface(project.room("contracts"))
    file = Path("data/scheduled.parquet")
    model = loaded.predict.__self__.model  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "scored.parquet"

        def bare() -> None:
            """Read, predict and write; nothing is checked but what the model itself checks."""
            source, writer = parquet.ParquetFile(file), None
            for batch in source.iter_batches(ROWS):
                table = pa.Table.from_batches([batch])
                predicted = pa.Table.from_pandas(model.predict(table.to_pandas()))
                scored = table.append_column("late_probability", predicted["late_probability"])
                writer = writer or parquet.ParquetWriter(to, scored.schema)
                writer.write_table(scored)
            if writer:
                writer.close()

        def ours() -> None:
            score_file(loaded, *contracts, file, to)

        took = [[_seconds(action) for action in (ours, bare)] for _ in range(times)]
    rows = parquet.read_metadata(file).num_rows
    print(json.dumps({"rows": rows, "ours": [t[0] for t in took], "bare": [t[1] for t in took]}))


def _seconds(action: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main(int(sys.argv[1]))
