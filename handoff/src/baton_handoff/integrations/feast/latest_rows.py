"""The latest row of each entity in the pipeline's table: what a feature store has to serve."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from baton_handoff.contracts.frames import ARROW
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.feast.definitions import FeatureView


def latest_rows(file: Path, view: FeatureView) -> pa.Table:
    """The latest row of each entity, in the types of the contracts.

    Raises:
        HandoffError: The table lacks a column, has another type, or has several rows of an entity
            at the same time.
    """
    table = _read(file, view)
    key = [*view.key, view.time]
    for name in key:
        if table[name].null_count:
            raise HandoffError(
                f"{file.name} has {table[name].null_count:,} rows without {name}, which a feature"
                " store can't find: drop them or fill the gaps."
            )
    latest = table.group_by(list(view.key)).aggregate([(view.time, "max")]).rename_columns(key)
    rows = latest.join(table, keys=key, join_type="inner").select(list(view.types))
    if len(rows) != len(latest):
        raise HandoffError(
            f"{file.name} has several rows with the same {', '.join(key)}: keep one of each."
        )
    return rows


def _read(file: Path, view: FeatureView) -> pa.Table:
    present = parquet.read_schema(file).names
    if missing := [name for name in view.types if name not in present]:
        raise HandoffError(
            f"{file.name} lacks {', '.join(missing)}, which a feature store needs: write it in"
            " training/features.py and declare it in the contract of that table."
        )
    table = parquet.read_table(file, columns=list(view.types))
    columns = {}
    for name, kind in view.types.items():
        try:
            values = pc.cast(table[name], ARROW[kind])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise HandoffError(
                f"{name} in {file.name} has type {table[name].type}, its contract declares {kind}:"
                " run `uv run poe pipeline`."
            ) from error
        # NaN means a missing value, for Feast and for the contracts.
        columns[name] = pc.if_else(pc.is_nan(values), None, values) if kind == "number" else values
    return pa.table(columns)
