"""The monitoring report: one HTML page with all plots in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from baton_handoff.monitoring.alerts import Alert, acting_sides
from baton_handoff.monitoring.columns import Drift
from baton_handoff.monitoring.history import HistoryEntry
from baton_handoff.monitoring.messages import findings_of, summary, unit_text
from baton_handoff.monitoring.observation import Observation
from baton_handoff.monitoring.plots import drift_plot, groups_plot, history_plot, performance_plot
from baton_handoff.monitoring.quality import MissingValues
from baton_handoff.reporting.pages import render_html

_MAX_PLOTS = 16
_MAX_NAMES = 3


@dataclass(frozen=True)
class ColumnRow:
    """One row of the table of columns.

    Attributes:
        name: The column.
        refused: The share of rows that break a rule of it.
        missing: Its missing values, None without enough rows.
        drift: Its drift, likewise.
        problems: What is wrong with it, a few words each.
    """

    name: str
    refused: float
    missing: MissingValues | None
    drift: Drift | None
    problems: Sequence[str]


def report_page(
    observation: Observation,
    alerts: Sequence[Alert],
    history: Sequence[HistoryEntry],
    at: str,
) -> str:
    """The report as HTML.

    Args:
        observation: The observation.
        alerts: Its alerts.
        history: The entries so far, including this observation.
        at: The time of the observation.
    """
    performance = observation.performance
    plots = {}
    if observation.drifts:
        ordered = sorted(
            observation.drifts,
            key=lambda drift: (drift.drifted or drift.source_changed, drift.distance),
            reverse=True,
        )
        plots["drift"] = drift_plot(observation.samples, ordered[:_MAX_PLOTS])
    if performance:
        plots["performance"] = performance_plot(performance, observation.settings.tolerance)
        if any(performance.groups.values()):
            plots["groups"] = groups_plot(performance)
    if len(history) > 1:
        plots["history"] = history_plot(history)
    return render_html(
        "monitoring.html",
        observation=observation,
        summary=summary(observation),
        findings=findings_of(alerts, observation),
        sides=acting_sides(alerts),
        columns=list(_columns(observation)),
        plots=plots,
        runs=len(history),
        at=at,
    )


def _columns(observation: Observation) -> Iterator[ColumnRow]:
    missing = {column.column: column for column in observation.quality.missing}
    drifts = {drift.column: drift for drift in observation.drifts}
    for name in map(str, observation.samples.reference):
        if observation.rows and name in observation.samples.current:
            refused = observation.quality.broken_share(name)
            row = ColumnRow(name, refused, missing.get(name), drifts.get(name), ())
            yield replace(row, problems=list(_problems(row, observation.settings.refused)))


def _problems(row: ColumnRow, max_refused: float) -> Iterator[str]:
    if row.refused > max_refused:
        yield "refused"
    if row.missing and row.missing.increased:
        yield "missing"
    if drift := row.drift:
        yield from (f"{name} gone" for name in drift.vanished[:_MAX_NAMES])
        if drift.unit:
            yield unit_text(drift.unit)
        elif drift.new_values:
            yield "new values"
        elif drift.drifted:
            yield "drifted"
