"""What a look tells Prometheus: a file for node_exporter's textfile collector."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from baton_handoff.config.sides import DATA_OWNER, SIDES
from baton_handoff.monitoring.observation import Seen
from baton_handoff.reporting.findings import Finding


def write_figures(file: Path, seen: Seen, findings: Sequence[Finding], seconds: float) -> None:
    """Write the figures of a look; the file appears whole.

    Args:
        file: Where to.
        seen: The look.
        findings: What came of it.
        seconds: When it was, since 1970.
    """
    registry = CollectorRegistry()

    def gauge(name: str, what: str, values: Mapping[Any, float], *labels: str) -> None:
        labelled = Gauge(f"handoff_monitor_{name}", what, ["model", *labels], registry=registry)
        for key, value in values.items():
            labelled.labels(seen.model, *key).set(value)

    quality, said = seen.quality, seen.performance
    gauge("last_run_timestamp_seconds", "When predictions were last looked at", {(): seconds})
    gauge("version", "The version that is watched", {(): seen.version})
    gauge("rows", "Rows that were looked at", {(): seen.rows})
    gauge("refused_ratio", "The share that the contract refuses", {(): quality.share_refused})
    gauge(
        "missing_ratio",
        "The share of values that are missing",
        {(gap.column,): gap.share for gap in quality.missing},
        "column",
    )
    gauge(
        "drift_distance",
        "How far values lie from what was learnt, 0 to 1",
        {(drift.column,): drift.distance for drift in seen.drifts},
        "column",
    )
    sides = [finding.side for finding in findings if finding.blocks]
    gauge(
        "alerts",
        "What somebody has to act on, by whose turn it is",
        {(side,): sides.count(side) for side in (*SIDES, DATA_OWNER)},
        "side",
    )
    if said:
        figures = {(name,): now for name, (now, _) in said.figures.items()}
        gauge("score", "How good predictions were, by the usual figures", figures, "figure")
        gauge(
            "loss_growth_ratio",
            "By how much the loss has grown at least, as a share of the evaluation's",
            {(): said.overall.low},
        )
    write_to_textfile(str(file), registry)
