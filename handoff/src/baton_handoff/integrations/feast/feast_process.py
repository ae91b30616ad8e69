"""Fill and read a feature store: a script that runs in Feast's own environment.

python feast_process.py fill|read STORE KEYS ANSWERS
"""

import runpy
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feast
import pyarrow as pa
from pyarrow import parquet

MAX_ENTITIES = 2_000
"""Entities in one request."""


def main(action: str, folder: Path, keys: Path, answers: Path) -> None:
    """Fill a store if the action is `fill`, and read it.

    Args:
        action: `fill` or `read`.
        folder: The store.
        keys: A Parquet file with the keys of the entities to read; to fill the store, also with the
            time from which the latest row of each is valid.
        answers: The folder to write to, a Parquet file for each view.
    """
    entities = parquet.read_table(keys)
    store = feast.FeatureStore(repo_path=str(folder))
    if action == "fill":
        objects = runpy.run_path(str(folder / "features.py")).values()
        kinds = (feast.Entity, feast.FeatureView, feast.FileSource)
        store.apply([each for each in objects if isinstance(each, kinds)])
        times = entities[store.list_feature_views()[0].batch_source.timestamp_field].to_pylist()
        store.materialize(min(times), max(times))
    for view in store.list_feature_views():
        rows = entities.select([column.name for column in view.entity_columns]).to_pylist()
        requests = (rows[n : n + MAX_ENTITIES] for n in range(0, len(rows), MAX_ENTITIES))
        # A request whose answers are all null has no type: the others give it.
        served = pa.concat_tables(
            [pa.table(_read(store, view, some)) for some in requests], promote_options="default"
        )
        parquet.write_table(served, answers / f"{view.name}.parquet")


def _read(store: Any, view: Any, rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The columns of the entities that the store contains."""
    names = [feature.name for feature in view.features]
    answer = store.get_online_features(
        features=[f"{view.name}:{name}" for name in names], entity_rows=rows
    ).to_dict(include_event_timestamps=True)
    # An unknown entity has nulls and no time.
    times = answer[f"{names[0]}__ts"]
    known = [row for row, time in enumerate(times) if time]
    columns = {name: [rows[row][name] for row in known] for name in rows[0]}
    columns |= {name: [answer[name][row] for row in known] for name in names}
    time = view.batch_source.timestamp_field
    return columns | {time: [datetime.fromtimestamp(times[row], UTC) for row in known]}


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
