"""Metrics of monitoring for Prometheus: a file for node_exporter's textfile collector."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from baton_handoff.config.sides import DATA_OWNER, SIDES
from baton_handoff.monitoring.alerts import Alert
from baton_handoff.monitoring.observation import Observation


def write_metrics(
    file: Path, observation: Observation, alerts: Sequence[Alert], seconds: float
) -> None:
    """Write the metrics of an observation; the file is replaced as a whole.

    Args:
        file: The file to write.
        observation: The observation.
        alerts: Its alerts.
        seconds: The time of the observation, in seconds since 1970.
    """
    registry = CollectorRegistry()

    def gauge(name: str, text: str, values: Mapping[str, float], label: str) -> None:
        metric = Gauge(f"handoff_monitor_{name}", text, ["model", label], registry=registry)
        for key, value in values.items():
            metric.labels(observation.model, key).set(value)

    def number(name: str, text: str, value: float) -> None:
        metric = Gauge(f"handoff_monitor_{name}", text, ["model"], registry=registry)
        metric.labels(observation.model).set(value)

    performance = observation.performance
    number("last_run_timestamp_seconds", "Time of the last run of the monitor", seconds)
    number("version", "The monitored version", observation.version)
    number("rows", "Monitored rows", observation.rows)
    number(
        "refused_ratio", "The share of rows that the contract refuses", observation.refused_share
    )
    missing = {column.column: column.share for column in observation.missing}
    gauge("missing_ratio", "The share of missing values", missing, "column")
    distances = {drift.column: drift.distance for drift in observation.drifts}
    gauge("drift_distance", "The distance from the training data, 0 to 1", distances, "column")
    sides = [alert.side for alert in alerts]
    by_side = {side: sides.count(side) for side in (*SIDES, DATA_OWNER)}
    gauge("alerts", "Alerts by the side that has to act", by_side, "side")
    if performance:
        metrics = {name: value for name, (value, _) in performance.metrics.items()}
        gauge("score", "The performance of the predictions", metrics, "figure")
        number(
            "loss_growth_ratio",
            "The least growth of the loss, as a share of the loss in the evaluation",
            performance.overall.low,
        )
    write_to_textfile(str(file), registry)
