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
    registry, performance = CollectorRegistry(), observation.performance
    sides = [alert.side for alert in alerts]

    def gauge(name: str, text: str, values: float | Mapping[str, float], label: str = "") -> None:
        labels = ["model", label] if label else ["model"]
        metric = Gauge(f"handoff_monitor_{name}", text, labels, registry=registry)
        if not isinstance(values, Mapping):
            metric.labels(observation.model).set(values)
            return
        for key, value in values.items():
            metric.labels(observation.model, key).set(value)

    gauge("last_run_timestamp_seconds", "Time of the last run of the monitor", seconds)
    gauge("version", "The monitored version", observation.version)
    gauge("rows", "Monitored rows", observation.rows)
    gauge("refused_ratio", "The share of rows that the contract refuses", observation.refused_share)
    missing = {column.column: column.share for column in observation.missing}
    gauge("missing_ratio", "The share of missing values", missing, "column")
    distances = {drift.column: drift.distance for drift in observation.drifts}
    gauge("drift_distance", "The distance from the training data, 0 to 1", distances, "column")
    by_side = {side: sides.count(side) for side in (*SIDES, DATA_OWNER)}
    gauge("alerts", "Alerts by the side that has to act", by_side, "side")
    if performance:
        metrics = {name: value for name, (value, _) in performance.metrics.items()}
        gauge("score", "The performance of the predictions", metrics, "figure")
        growth = "The least growth of the loss, as a share of the loss in the evaluation"
        gauge("loss_growth_ratio", growth, performance.overall.low)
    write_to_textfile(str(file), registry)
