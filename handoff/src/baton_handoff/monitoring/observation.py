"""What a look at the predictions of a period has shown, and what it rests on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from baton_handoff.config.settings import MonitorSettings
from baton_handoff.monitoring.columns import Drift
from baton_handoff.monitoring.drift import Held, drifts
from baton_handoff.monitoring.performance import Change, Performance
from baton_handoff.monitoring.quality import Missing, Quality


@dataclass(frozen=True)
class Seen:
    """What a look has shown.

    Attributes:
        model: The registered model's name.
        version: The version that is watched.
        versions: How many rows each version has answered.
        covers: The first and the last moment of the rows, empty where nothing says when they were.
        learnt: Whether they are held against what the version has learnt from; else it is what it
            was evaluated on.
        held: Both tables.
        quality: What is refused and what is missing.
        drifts: What became of each column, predictions included.
        remaining: The same once all is set aside that the source's owner is asked about; the
            columns that drifted anyway.
        performance: How good predictions were, None where nothing came true yet.
        apart: How good they were where the source is not in question, None where no such rows are.
        truths: How many rows have a truth, None where nobody has brought any.
    """

    model: str
    version: int
    versions: Counter[int]
    covers: tuple[str, str] | tuple[()]
    learnt: bool
    held: Held
    quality: Quality
    drifts: Sequence[Drift] = ()
    remaining: Sequence[Drift] = ()
    performance: Performance | None = None
    apart: Change | None = None
    truths: int | None = None
    settings: MonitorSettings = field(default_factory=MonitorSettings)

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return len(self.held.current)

    def __str__(self) -> str:
        when = f" from {self.covers[0]} to {self.covers[1]} (UTC)" if self.covers else ""
        against = "rows that it has learnt from" if self.learnt else "rows of its evaluation"
        return (
            f"{self.model} version {self.version}: {self.rows:,} rows{when}, held against"
            f" {len(self.held.reference):,} {against}"
        )


def untouched(
    held: Held, found: Sequence[Drift], gaps: Sequence[Missing]
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are not in question, of the reference and of the period.

    Of the period those are in question that lack what was there before, or hold what never was; of
    the reference those of a category that is gone.
    """
    before, now = np.ones(len(held.reference), bool), np.ones(len(held.current), bool)
    for gap in gaps:
        if gap.grown:
            now &= held.current[gap.column].notna().to_numpy()
    for drift in found:
        if drift.vanished:
            before &= ~held.reference[drift.column].astype(str).isin(drift.vanished).to_numpy()
        elif drift.at_the_source:
            now &= held.current[drift.column].isna().to_numpy()
    return before, now


def remaining(
    held: Held,
    found: Sequence[Drift],
    which: tuple[np.ndarray, np.ndarray],
    settings: MonitorSettings,
) -> list[Drift]:
    """The columns that have drifted also where the source is not in question."""
    drifted = [drift for drift in found if drift.drifted and not drift.at_the_source]
    before, now = which
    if before.all() and now.all():
        return drifted
    clear = replace(
        held,
        reference=held.reference[before],
        current=held.current[now],
        kinds={drift.column: drift.kind for drift in drifted},
        periods=None if held.periods is None else held.periods[before],
    )
    return [drift for drift in drifts(clear, settings) if drift.drifted]
