"""The result of monitoring the predictions of a period."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from baton_handoff.config.settings import MonitorSettings
from baton_handoff.monitoring.columns import Drift
from baton_handoff.monitoring.drift import Samples, drifts
from baton_handoff.monitoring.performance import Performance, PerformanceChange
from baton_handoff.monitoring.quality import BrokenRule, MissingValues


@dataclass(frozen=True)
class Observation:
    """The result of monitoring.

    Attributes:
        model: The registered model's name.
        version: The monitored version.
        covers: The first and the last time of the rows, empty if unknown.
        samples: The compared rows.
        refused: The number of rows that the contract refuses.
        broken_rules: The number of rows that break each rule of the contract.
        missing: The missing values of each column.
        drifts: The drift of each column, predictions included.
        remaining: The columns that drifted also where the source has not changed.
        performance: The performance, None without enough labels.
        unaffected: The performance on the rows that no change at a source affects, None without
            enough labels.
        labelled_rows: The number of rows with a label, None if no labels were given.
        with_training: True if the reference is training rows, otherwise it is the evaluation's.
        settings: The limits.
        total: The number of rows of the period, if only a sample of them is compared.
    """

    model: str
    version: int
    covers: tuple[str, ...]
    samples: Samples
    refused: int
    broken_rules: Counter[BrokenRule]
    missing: Sequence[MissingValues] = ()
    drifts: Sequence[Drift] = ()
    remaining: Sequence[Drift] = ()
    performance: Performance | None = None
    unaffected: PerformanceChange | None = None
    labelled_rows: int | None = None
    with_training: bool = True
    settings: MonitorSettings = field(default_factory=MonitorSettings)
    total: int | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.samples.current) if self.total is None else self.total

    @property
    def refused_share(self) -> float:
        """The share of rows that the contract refuses."""
        return self.refused / self.rows if self.rows else 0.0

    def broken_share(self, column: str | None) -> float:
        """The share of rows that break the most frequently broken rule of a column."""
        counts = [rows for broken, rows in self.broken_rules.items() if broken.column == column]
        return max(counts, default=0) / self.rows


def unaffected_rows(
    samples: Samples, found: Sequence[Drift], missing: Sequence[MissingValues]
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the reference and of the period that no change at a source affects, as masks.

    Affected rows of the period lack a value that used to be there or hold a new one; affected rows
    of the reference hold a category that vanished.
    """
    reference = np.ones(len(samples.reference), bool)
    current = np.ones(len(samples.current), bool)
    for column in missing:
        if column.increased:
            current &= samples.current[column.column].notna().to_numpy()
    for drift in found:
        if drift.vanished:
            values = samples.reference[drift.column].astype(str)
            reference &= ~values.isin(drift.vanished).to_numpy()
        elif drift.source_changed:
            current &= samples.current[drift.column].isna().to_numpy()
    return reference, current


def remaining_drifts(
    samples: Samples,
    found: Sequence[Drift],
    unaffected: tuple[np.ndarray, np.ndarray],
    settings: MonitorSettings,
) -> list[Drift]:
    """The columns that have drifted also in the rows that no change at a source affects."""
    drifted = [drift for drift in found if drift.drifted and not drift.source_changed]
    reference, current = unaffected
    if reference.all() and current.all():
        return drifted
    rest = replace(
        samples,
        reference=samples.reference[reference],
        current=samples.current[current],
        kinds={drift.column: drift.kind for drift in drifted},
        periods=samples.periods[reference],
    )
    return [drift for drift in drifts(rest, settings) if drift.drifted]
