"""Publishing a look: its report, its figures for Prometheus, one more line of history."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from baton_handoff.core.files import replace_atomically
from baton_handoff.monitoring.history import append, entry_of, read_history
from baton_handoff.monitoring.metrics import write_figures
from baton_handoff.monitoring.observation import Seen
from baton_handoff.monitoring.report import page
from baton_handoff.reporting.findings import Finding
from baton_handoff.serving.prediction_log import utc_timestamp

REPORT, FIGURES, HISTORY = "report.html", "handoff_monitor.prom", "history.jsonl"


def publish(folder: Path, seen: Seen, findings: Sequence[Finding]) -> Path:
    """Write everything that a look leaves behind; the report's file.

    Args:
        folder: Where to; git does not look into it.
        seen: The look.
        findings: What came of it.
    """
    at = utc_timestamp()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    entry = entry_of(seen, findings, at)
    before = [e for e in read_history(folder / HISTORY) if e.model == seen.model]
    report = folder / REPORT
    with replace_atomically(report) as unfinished:
        unfinished.write_text(page(seen, findings, [*before, entry], at), encoding="utf-8")
        append(folder / HISTORY, entry)
    seconds = datetime.fromisoformat(at).timestamp()
    write_figures(folder / FIGURES, seen, findings, seconds)
    return report
