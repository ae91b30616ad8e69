"""Replay: compare the predictions of another version with those that the service has logged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from baton_handoff.contracts import Contract, ContractViolation, from_json, to_rows
from baton_handoff.contracts.frames import is_number
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import replace_atomically
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.prediction_log import LoggedPrediction


@dataclass(frozen=True)
class ReplayedRow:
    """One logged row with both predictions. The attributes are the columns of the file.

    Attributes:
        request: The request's identifier.
        row: The row's position in its request.
        version: The version that the service answered with.
        then: The logged prediction.
        now: The challenger's prediction, None if it refuses the request.
    """

    request: str
    row: int
    version: int
    then: Mapping[str, Any]
    now: Mapping[str, Any] | None


def replay(
    challenger: Loaded, input_schema: Contract, log: Iterator[LoggedPrediction]
) -> Iterator[ReplayedRow]:
    """Predict with a challenger for everything in a log.

    Args:
        challenger: The version.
        input_schema: Its input contract.
        log: The log.
    """
    for logged in log:
        try:
            rows: Sequence[Any] = to_rows(challenger.predict(from_json(input_schema, logged.rows)))
        except ContractViolation:
            rows = [None] * len(logged.rows)
        for number, (then, now) in enumerate(zip(logged.predictions, rows, strict=True)):
            yield ReplayedRow(logged.request, number, logged.version, then, now)


def summarize_replay(replayed: Sequence[ReplayedRow], challenger: int) -> Iterator[str]:
    """Summarise a replay, line by line.

    Raises:
        HandoffError: The log is empty.
    """
    if not replayed:
        raise HandoffError("The prediction log is empty: `uv run poe serve` fills it.")
    pairs = [(row.then, row.now) for row in replayed if row.now is not None]
    versions = ", ".join(map(str, sorted({row.version for row in replayed})))
    yield f"{len(replayed):,} rows answered by version {versions}, replayed with {challenger}"
    if refused := len(replayed) - len(pairs):
        yield f"  {refused:,} of them it refuses"
    for column in pairs[0][0] if pairs else ():
        values: list[tuple[Any, Any]] = [(then[column], now.get(column)) for then, now in pairs]
        if all(is_number(then) and is_number(now) for then, now in values):
            distances = sorted(abs(float(now) - float(then)) for then, now in values)
            mean, median = sum(distances) / len(distances), distances[len(distances) // 2]
            yield (
                f"  {column}: mean difference {mean:.4g}, median {median:.4g},"
                f" maximum {distances[-1]:.4g}"
            )
        else:
            different = sum(then != now for then, now in values)
            yield f"  {column}: {different:,} of {len(values):,} are different"


def write_replayed(replayed: Sequence[ReplayedRow], to: Path) -> None:
    """Write every row with both predictions as Parquet, so that labels can be joined to it."""
    with replace_atomically(to) as unfinished:
        pq.write_table(pa.Table.from_pylist([vars(row) for row in replayed]), unfinished)
