"""The monitoring report: one HTML page with all plots in it."""

from collections.abc import Sequence

from baton_handoff.monitoring.alerts import Alert, acting_sides
from baton_handoff.monitoring.history import HistoryEntry
from baton_handoff.monitoring.messages import findings_of, summary, unit_text
from baton_handoff.monitoring.observation import Observation
from baton_handoff.monitoring.plots import drift_plot, performance_plot
from baton_handoff.reporting.pages import render_html

_MAX_DRIFTS = 16
_MAX_RUNS = 20


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
    performance, plots = observation.performance, {}
    if observation.drifts:
        largest = sorted(
            observation.drifts, key=lambda d: (d.drifted or d.source_changed, d.distance)
        )
        plots["drift"] = drift_plot(observation.samples, largest[: -_MAX_DRIFTS - 1 : -1])
    if performance:
        plots["performance"] = performance_plot(performance, observation.settings.tolerance)
    return render_html(
        "monitoring.html",
        observation=observation,
        summary=summary(observation),
        findings=findings_of(alerts, observation),
        sides=acting_sides(alerts),
        missing={column.column: column for column in observation.missing},
        drifts={drift.column: drift for drift in observation.drifts},
        unit_text=unit_text,
        plots=plots,
        former=history[-2 : -_MAX_RUNS - 2 : -1],
        at=at,
    )
