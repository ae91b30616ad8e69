"""The history of monitoring: a line of JSON for each run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from baton_handoff.core.errors import HandoffError
from baton_handoff.monitoring.alerts import Alert, acting_sides
from baton_handoff.monitoring.observation import Observation


@dataclass(frozen=True)
class HistoryEntry:
    """One run of the monitor; the names of the fields are the keys in the file.

    Attributes:
        at: The time of the run, in UTC.
        model: The registered model's name.
        version: The monitored version.
        covers: The first and the last time of the rows, empty if unknown.
        rows: The number of rows.
        refused: The share that the contract refused.
        missing: The share of missing values by column.
        drift: The distance from the reference by column, predictions included.
        score: The score, None without enough labels.
        loss: The interval of the growth of the loss, None without enough labels.
        alerts: The kinds of the alerts.
        sides: The sides that had to act.
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


def history_entry(observation: Observation, alerts: Sequence[Alert], at: str) -> HistoryEntry:
    """The entry of an observation."""
    overall = observation.performance.overall if observation.performance else None
    return HistoryEntry(
        at=at,
        model=observation.model,
        version=observation.version,
        covers=list(observation.covers),
        rows=observation.rows,
        refused=round(observation.refused_share, 6),
        missing={m.column: round(m.share, 6) for m in observation.missing},
        drift={drift.column: round(drift.distance, 6) for drift in observation.drifts},
        score=round(overall.score, 6) if overall else None,
        loss=[round(overall.low, 6), round(overall.high, 6)] if overall else None,
        alerts=[alert.kind.value for alert in alerts if alert.side],
        sides=acting_sides(alerts),
    )


def read_history(file: Path) -> list[HistoryEntry]:
    """The entries so far, the latest last.

    Raises:
        HandoffError: A line is no entry.
    """
    if not file.exists():
        return []
    entries = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entries.append(HistoryEntry(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise HandoffError(
                f"{file}:{number} is no entry of the monitor's history: delete the line."
            ) from error
    return entries
