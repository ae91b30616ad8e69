"""Alerts, each addressed to the side that has to act.

The owner of the source acts on a changed source, data science on drift and worse performance, ML
engineering on a service without predictions. The consequences of a change at a source are alerts of
the source only. `messages` makes the sentences.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from baton_handoff.config.sides import DATA_OWNER, DATA_SCIENCE, ML_ENGINEERING
from baton_handoff.monitoring.columns import Drift
from baton_handoff.monitoring.observation import Observation
from baton_handoff.monitoring.performance import PerformanceChange
from baton_handoff.monitoring.quality import MissingValues


class AlertKind(StrEnum):
    """The kind of an alert, as reports and the history name it."""

    NO_PREDICTIONS = "monitor-silence"
    REFUSED = "monitor-refused"
    MISSING = "monitor-missing"
    VANISHED = "monitor-vanished"
    UNIT = "monitor-unit"
    NEW_VALUES = "monitor-strange"
    DRIFT = "monitor-drift"
    PREDICTION_DRIFT = "monitor-predictions"
    PERFORMANCE = "monitor-performance"
    SUBGROUP = "monitor-subgroup"
    FEW_ROWS = "monitor-rows"
    FEW_LABELS = "monitor-truth"
    CHALLENGER = "monitor-challenger"


@dataclass(frozen=True)
class Alert:
    """One alert, or information that needs no action.

    Attributes:
        kind: Its kind.
        side: The side that has to act, None for information.
        column: The column whose rules are broken, None for rules about whole rows.
        drifts: The columns that have drifted.
        missing: The columns with missing values.
        changes: The changes of performance: first the one that the alert is about.
        source_changed: True if a source has changed at the same time.
    """

    kind: AlertKind
    side: str | None = None
    column: str | None = None
    drifts: Sequence[Drift] = ()
    missing: Sequence[MissingValues] = ()
    changes: Sequence[PerformanceChange] = ()
    source_changed: bool = False


def alerts_of(observation: Observation) -> list[Alert]:
    """The alerts that an observation raises, and information."""
    if not observation.rows:
        return [Alert(AlertKind.NO_PREDICTIONS, ML_ENGINEERING)]
    source = [*_refused(observation), *_missing(observation), *_changed(observation)]
    return [
        *source,
        *_drifted(observation),
        *_worse(observation, source_changed=bool(source)),
        *_information(observation),
    ]


def acting_sides(alerts: Sequence[Alert]) -> list[str]:
    """The sides that have to act, sorted."""
    return sorted({alert.side for alert in alerts if alert.side})


def _refused(observation: Observation) -> Iterator[Alert]:
    # In the order of how often their rules are broken.
    columns = (rule.column for rule, _ in observation.broken_rules.most_common())
    for column in dict.fromkeys(columns):
        if observation.broken_share(column) > observation.settings.refused:
            drifts = [drift for drift in observation.drifts if drift.column == column]
            yield Alert(AlertKind.REFUSED, DATA_OWNER, column, drifts)


def _missing(observation: Observation) -> Iterator[Alert]:
    """One alert for the columns that are missing equally often: they come from the same feed."""
    feeds = defaultdict(list)
    for missing in observation.missing:
        if missing.increased:
            feeds[round(missing.share, 3)].append(missing)
    for columns in feeds.values():
        yield Alert(AlertKind.MISSING, DATA_OWNER, missing=columns)


def _changed(observation: Observation) -> Iterator[Alert]:
    refused = {rule.column for rule in observation.broken_rules}
    for drift in observation.drifts:
        if drift.vanished:
            yield Alert(AlertKind.VANISHED, DATA_OWNER, drifts=[drift])
        elif drift.new_values and drift.column not in refused:
            kind = AlertKind.UNIT if drift.unit else AlertKind.NEW_VALUES
            yield Alert(kind, DATA_OWNER, drifts=[drift])


def _drifted(observation: Observation) -> Iterator[Alert]:
    prediction = observation.samples.prediction_column
    inputs = [drift for drift in observation.remaining if drift.column != prediction]
    if inputs:
        yield Alert(AlertKind.DRIFT, DATA_SCIENCE, drifts=inputs)
    if predicted := [drift for drift in observation.remaining if drift.column == prediction]:
        yield Alert(AlertKind.PREDICTION_DRIFT, DATA_SCIENCE, drifts=predicted)
    remaining = {drift.column for drift in observation.remaining}
    explained = [
        drift
        for drift in observation.drifts
        if drift.drifted and not drift.source_changed and drift.column not in remaining
    ]
    if explained:
        yield Alert(AlertKind.DRIFT, drifts=explained, source_changed=True)


def _worse(observation: Observation, *, source_changed: bool) -> Iterator[Alert]:
    performance = observation.performance
    if performance is None:
        return
    limit = max(observation.settings.tolerance, performance.usual)
    worse = [part for part in performance.parts if part.low > limit]
    if performance.overall.low > limit:
        # If a source has changed, only unaffected rows measure the model itself.
        judged = observation.unaffected if source_changed else performance.overall
        if judged is None or judged.low <= limit:
            changes = [performance.overall]
            yield Alert(AlertKind.PERFORMANCE, changes=changes, source_changed=True)
        else:
            changes = [judged, *(part for part in worse if not part.column)]
            yield Alert(
                AlertKind.PERFORMANCE,
                DATA_SCIENCE,
                changes=changes,
                source_changed=source_changed,
            )
        return
    groups = [part for part in worse if part.column]
    # On a single day or week a subgroup may be as bad as the whole was in the worst one.
    if groups and not performance.usual:
        side = None if source_changed else DATA_SCIENCE
        yield Alert(AlertKind.SUBGROUP, side, changes=groups, source_changed=source_changed)


def _information(observation: Observation) -> Iterator[Alert]:
    performance = observation.performance
    if observation.rows < observation.settings.least_rows:
        yield Alert(AlertKind.FEW_ROWS)
    if performance is None and observation.labelled_rows is not None:
        yield Alert(AlertKind.FEW_LABELS)
    if performance and performance.challenger:
        yield Alert(AlertKind.CHALLENGER, changes=[performance.challenger])
