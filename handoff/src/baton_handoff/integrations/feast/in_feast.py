"""Feast's side of the feature store: fills it, and asks it.

Run as a script, in Feast's own environment, where nothing of the project is known.
"""

import runpy
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

AT_ONCE = 2_000
"""Things that are asked for in one request."""


def main(what: str, folder: Path, asked: Path, to: Path) -> None:
    """Fill a store if `what` is `fill`, and ask it.

    Args:
        what: `fill` or `ask`.
        folder: The store: settings and definitions.
        asked: A Parquet file of the things to ask for; to fill it, also of the moments from which
            on the newest that is known of each of them holds.
        to: The folder for the answers, a Parquet file for each view.
    """
    import feast
    from pyarrow import parquet

    things = parquet.read_table(asked)
    store = feast.FeatureStore(repo_path=str(folder))
    if what == "fill":
        stated = runpy.run_path(str(folder / "features.py")).values()
        kinds = (feast.Entity, feast.FeatureView, feast.FileSource)
        store.apply([one for one in stated if isinstance(one, kinds)])
        moments = things[store.list_feature_views()[0].batch_source.timestamp_field].to_pylist()
        store.materialize(min(moments), max(moments))
    for view in store.list_feature_views():
        parquet.write_table(_answers(store, view, things), to / f"{view.name}.parquet")


def _answers(store: Any, view: Any, things: Any) -> Any:
    """What is served of all things that the store knows, in the types that it is served in."""
    import pyarrow as pa

    key = [column.name for column in view.entity_columns]
    rows = things.select(key).to_pylist()
    asked = (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
    # Where a request brings nothing but gaps, the type comes from the others.
    return pa.concat_tables(
        [pa.table(_answer(store, view, some)) for some in asked], promote_options="default"
    )


def _answer(store: Any, view: Any, asked: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = [feature.name for feature in view.features]
    said = store.get_online_features(
        features=[f"{view.name}:{name}" for name in names], entity_rows=asked
    ).to_dict(include_event_timestamps=True)
    # What Feast does not know, it answers with gaps, and without a moment.
    moments = said[f"{names[0]}__ts"]
    known = [row for row, moment in enumerate(moments) if moment]
    answer = {name: [asked[row][name] for row in known] for name in asked[0]}
    answer |= {name: [said[name][row] for row in known] for name in names}
    answer[view.batch_source.timestamp_field] = [
        datetime.fromtimestamp(moments[row], UTC) for row in known
    ]
    return answer


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
