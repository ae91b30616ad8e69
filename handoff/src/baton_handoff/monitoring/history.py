"""The history of looks: a line of JSON for each, so that a report can show how it went."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from baton_handoff.core.errors import HandoffError
from baton_handoff.monitoring.alerts import whose_turn
from baton_handoff.monitoring.observation import Seen
from baton_handoff.reporting.findings import Finding

SHOWN = 60
"""So many of the latest looks a report shows."""


@dataclass(frozen=True)
class Entry:
    """One look, in figures.

    Attributes:
        at: When it was made, in UTC.
        model: The registered model's name.
        version: The version that was watched.
        covers: The first and the last moment of the rows, none where nothing says when they were.
        rows: How many rows there were.
        refused: The share that the contract refused.
        missing: For each column the share that is missing.
        drift: For each column the distance from what was learnt, predictions included.
        score: The one figure, None where nothing came true yet.
        loss: By how much the loss has grown, least and most, likewise.
        alerts: What was found, by its name.
        sides: Whose turn it was.
    """

    at: str
    model: str
    version: int
    covers: Sequence[str]
    rows: int
    refused: float
    missing: dict[str, float]
    drift: dict[str, float]
    score: float | None
    loss: Sequence[float] | None
    alerts: Sequence[str]
    sides: Sequence[str]


def entry_of(seen: Seen, findings: Sequence[Finding], at: str) -> Entry:
    """A look as history keeps it."""
    overall = seen.performance.overall if seen.performance else None
    return Entry(
        at=at,
        model=seen.model,
        version=seen.version,
        covers=list(seen.covers),
        rows=seen.rows,
        refused=round(seen.quality.share_refused, 6),
        missing={gap.column: round(gap.share, 6) for gap in seen.quality.missing},
        drift={drift.column: round(drift.distance, 6) for drift in seen.drifts},
        score=round(overall.score, 6) if overall else None,
        loss=[round(overall.low, 6), round(overall.high, 6)] if overall else None,
        alerts=[finding.check for finding in findings if finding.blocks],
        sides=whose_turn(findings),
    )


def append(file: Path, entry: Entry) -> None:
    """Write one more line, whole or not at all."""
    line = json.dumps(asdict(entry), separators=(",", ":")) + "\n"
    with file.open("ab", buffering=0) as opened:
        before = opened.tell()
        try:
            if opened.write(line.encode()) < len(line.encode()):  # a full disk takes the beginning
                opened.truncate(before)
                raise HandoffError(f"{file} can't take one more line: make room, then run again.")
        except OSError:
            opened.truncate(before)
            raise


def read_history(file: Path) -> list[Entry]:
    """The looks so far, the latest last.

    Raises:
        HandoffError: A line is none.
    """
    if not file.exists():
        return []
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(Entry(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise HandoffError(f"{file}:{number} is no look of `monitor`: take it out.") from error
    return found
