"""The command that monitors a model in production."""

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from baton_handoff.cli.options import add_format
from baton_handoff.config.project import Project
from baton_handoff.reporting.findings import render


def add(commands: Any) -> None:
    """Add its commands to those of `handoff`."""
    command = commands.add_parser(
        "monitor",
        help="data quality, drift and performance of the predictions, and the side that has to act",
        description="Compare the predictions of the served version with its training data: quality"
        " and drift of the data, performance for labelled rows. Each alert names the side that has"
        " to act.",
        epilog="exit code: 0 no alerts, 1 a side has to act, 2 the monitor can't run",
    )
    command.add_argument(
        "version", nargs="?", help="a number or an alias; by default the served version"
    )
    command.add_argument("--rows", type=Path, help="a Parquet file of rows instead of the log")
    command.add_argument("--truth", type=Path, help="a Parquet file of labels")
    command.add_argument("--since", type=time, help="the first time, for example 2013-10-01")
    command.add_argument("--until", type=time, help="the time after the last")
    command.add_argument("--against", help="another version to compare on the same rows")
    add_format(command)
    command.set_defaults(run=_monitor)


def time(text: str) -> datetime:
    """A time in ISO format; argparse puts the name of this function into its error."""
    return datetime.fromisoformat(text)


def _monitor(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import model_interface

    model_interface(project.room("contracts"))
    from baton_handoff.monitoring.alerts import alerts_of
    from baton_handoff.monitoring.messages import findings_of, summary
    from baton_handoff.monitoring.monitor import MonitorOptions, Period, monitor
    from baton_handoff.monitoring.publish import publish

    period = Period(options.since, options.until)
    observation = monitor(
        project,
        MonitorOptions(options.version, options.rows, options.truth, period, options.against),
    )
    alerts = alerts_of(observation)
    report = publish(project.monitoring_folder, observation, alerts)
    print(render(findings_of(alerts, observation), options.format, "No alerts."))
    # A program reads only findings from standard output.
    stream = sys.stdout if options.format == "terminal" else sys.stderr
    print(f"\n{summary(observation)}\nReport: {report}", file=stream)
    return int(any(alert.side for alert in alerts))
