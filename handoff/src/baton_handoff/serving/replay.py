"""Replay: what another version would have answered to what the service was really asked."""

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
    """One logged row, as it was answered and as the challenger answers it.

    Attributes:
        request: The request's identifier.
        row: The row's position in its request.
        version: The version that answered then.
        then: Its answer.
        now: The challenger's answer, None where it refuses the row.
    """

    request: str
    row: int
    version: int
    then: Mapping[str, Any]
    now: Mapping[str, Any] | None


def replay(
    challenger: Loaded, input_schema: Contract, records: Iterator[LoggedPrediction]
) -> Iterator[ReplayedRow]:
    """Ask a challenger everything that is in a log; nobody waits for its answers.

    Args:
        challenger: The version to ask.
        input_schema: Its input contract.
        records: The log.
    """
    for record in records:
        try:
            answers: Sequence[Any] = to_rows(
                challenger.predict(from_json(input_schema, record.rows))
            )
        except ContractViolation:
            answers = [None] * len(record.rows)
        for row, (then, now) in enumerate(zip(record.predictions, answers, strict=True)):
            yield ReplayedRow(record.request, row, record.version, then, now)


def summarize_replay(replayed: Sequence[ReplayedRow], challenger: int) -> Iterator[str]:
    """What the replay says, a line each.

    Raises:
        HandoffError: The log is empty.
    """
    if not replayed:
        raise HandoffError(
            "The prediction log holds nothing to replay: `uv run poe serve` fills it."
        )
    known = [one for one in replayed if one.now is not None]
    versions = ", ".join(str(version) for version in sorted({one.version for one in replayed}))
    yield f"{len(replayed):,} rows answered by version {versions}, asked again of {challenger}"
    if len(known) < len(replayed):
        yield f"  {len(replayed) - len(known):,} of them it refuses"
    for column in known[0].then if known else ():
        pairs = [(one.then[column], (one.now or {}).get(column)) for one in known]
        if all(is_number(then) and is_number(now) for then, now in pairs):
            apart = sorted(abs(float(now) - float(then)) for then, now in pairs)  # type: ignore[arg-type]
            mean = sum(apart) / len(apart)
            yield (
                f"  {column}: {mean:.4g} apart on average, {apart[len(apart) // 2]:.4g} at the"
                f" median, {apart[-1]:.4g} at most"
            )
        else:
            other = sum(then != now for then, now in pairs)
            yield f"  {column}: {other:,} of {len(pairs):,} answered otherwise"


def write_replayed(replayed: Sequence[ReplayedRow], to: Path) -> None:
    """Write every row with both answers as Parquet, for the truth to be joined to it."""
    table = pa.table(
        {
            "request": [one.request for one in replayed],
            "row": [one.row for one in replayed],
            "version": [one.version for one in replayed],
            "then": [dict(one.then) for one in replayed],
            "now": [None if one.now is None else dict(one.now) for one in replayed],
        }
    )
    with replace_atomically(to) as unfinished:
        pq.write_table(table, unfinished)
