"""Publishing an observation: the report, the metrics for Prometheus, the line of history."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from baton_handoff.core.files import append_line, replace_atomically
from baton_handoff.monitoring.alerts import Alert
from baton_handoff.monitoring.history import history_entry, read_history
from baton_handoff.monitoring.observation import Observation
from baton_handoff.monitoring.prometheus import write_metrics
from baton_handoff.monitoring.report import report_page
from baton_handoff.serving.prediction_log import log_timestamp

REPORT, METRICS, HISTORY = "report.html", "handoff_monitor.prom", "history.jsonl"


def publish(folder: Path, observation: Observation, alerts: Sequence[Alert]) -> Path:
    """Write report, metrics and history.

    Args:
        folder: The folder to write to; it is ignored by git.
        observation: The observation.
        alerts: Its alerts.

    Returns:
        The file of the report.
    """
    at = log_timestamp()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    entry = history_entry(observation, alerts, at)
    former = [e for e in read_history(folder / HISTORY) if e.model == observation.model]
    report = folder / REPORT
    # The line is written before the report is replaced: on a full disk neither changes.
    with replace_atomically(report) as unfinished:
        page = report_page(observation, alerts, [*former, entry], at)
        unfinished.write_text(page, encoding="utf-8")
        append_line(folder / HISTORY, json.dumps(asdict(entry), separators=(",", ":")))
    seconds = datetime.fromisoformat(at).timestamp()
    write_metrics(folder / METRICS, observation, alerts, seconds)
    return report
