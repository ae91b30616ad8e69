"""The newest row of every thing in the pipeline's table: what a feature store has to serve."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from baton_handoff.contracts.frames import ARROW
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.feast.definitions import View


def newest(file: Path, view: View) -> pa.Table:
    """The newest row of every thing, in the types of the contracts.

    Raises:
        HandoffError: The table lacks a column, holds another type, or does not tell things apart.
    """
    table = _read(file, view)
    key = [*view.key, view.time]
    for name in key:
        if table[name].null_count:
            raise HandoffError(
                f"{file.name} has {table[name].null_count:,} rows without {name}: nobody could ask"
                " a feature store for them. Leave them out, or fill the gaps."
            )
    latest = table.group_by(list(view.key)).aggregate([(view.time, "max")])
    latest = latest.rename_columns([*view.key, view.time])
    rows = latest.join(table, keys=key, join_type="inner").select(list(view.types))
    if len(rows) != len(latest):
        raise HandoffError(
            f"{file.name} has things with several rows at one moment, as {', '.join(key)} say:"
            " leave one of each."
        )
    return rows


def _read(file: Path, view: View) -> pa.Table:
    known = parquet.read_schema(file).names
    missing = [name for name in view.types if name not in known]
    if missing:
        raise HandoffError(
            f"{file.name} lacks {', '.join(missing)}, by which a feature store would find features:"
            " let training/features.py write it, and the contract of that table state it."
        )
    table = parquet.read_table(file, columns=list(view.types))
    columns = {}
    for name, kind in view.types.items():
        try:
            values = pc.cast(table[name], ARROW[kind])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise HandoffError(
                f"{name} in {file.name} holds {table[name].type}, its contract says {kind}:"
                " `uv run poe pipeline`."
            ) from error
        # A number that is none is a gap, to Feast as to the contracts.
        gaps = pc.is_nan(values) if kind == "number" else None
        columns[name] = values if gaps is None else pc.if_else(gaps, None, values)
    return pa.table(columns)
