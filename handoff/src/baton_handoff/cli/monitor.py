"""What runs, and how it does."""

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
        help="data, drift and performance of what was predicted, and whose turn it is",
        description="Look at what the served version has predicted: quality and drift of the data,"
        " performance where it is known by now what came true. Each alert says whose turn it is.",
        epilog="exit code: 0 quiet, 1 somebody has to act, 2 it can't be carried out",
    )
    command.add_argument(
        "version", nargs="?", help="a number or an alias; by default the alias that is served"
    )
    command.add_argument("--rows", type=Path, help="rows of a Parquet file, not of the log")
    command.add_argument("--truth", type=Path, help="a Parquet file with what came true")
    command.add_argument("--since", type=moment, help="the first moment, 2013-10-01 for example")
    command.add_argument("--until", type=moment, help="the moment after the last")
    command.add_argument("--against", help="another version, on the same rows")
    add_format(command)
    command.set_defaults(run=_monitor)


def moment(text: str) -> datetime:
    """A moment as a person writes it; argparse calls by this name what it refuses."""
    return datetime.fromisoformat(text)


def _monitor(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts import model_interface

    model_interface(project.room("contracts"))
    from baton_handoff.monitoring.alerts import alerts
    from baton_handoff.monitoring.monitor import Asked, Period, watch
    from baton_handoff.monitoring.publish import publish

    period = Period(options.since, options.until)
    asked = Asked(options.version, options.rows, options.truth, period, options.against)
    seen = watch(project, asked)
    findings = alerts(seen)
    report = publish(project.monitoring_folder, seen, findings)
    print(render(findings, options.format, "All is quiet."))
    # A program reads findings, not this.
    said = sys.stdout if options.format == "terminal" else sys.stderr
    print(f"\n{seen}\nReport: {report}", file=said)
    return int(any(finding.blocks for finding in findings))
