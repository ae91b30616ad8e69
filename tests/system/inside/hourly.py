"""Run `handoff monitor` every hour, as a scheduler does, until it raises an alert.

    python hourly.py DAY TO HOUR… [--truths FILE]

Runs in a flights project, whose prediction log contains that day. Each run monitors the day so far;
only the libraries are imported once for all runs. FILE has a line of JSON with the label of each
request and the departure of its flight: the label is known six hours later. TO is a JSON file: the
hour of the last run, its exit code, and its findings.
"""

import argparse
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
from baton_handoff.cli import main as handoff

KNOWN_AFTER = pd.Timedelta(hours=6)


def main(day: str, to: Path, hours: list[int], truths: Path | None) -> None:
    """Monitor until an alert is raised or the hours are over."""
    report: dict[str, Any] = {}
    midnight = pd.Timestamp(day, tz="America/New_York")
    for hour in hours:
        until = midnight + pd.Timedelta(hours=hour)
        command = ["monitor", "--since", midnight.isoformat(), "--until", until.isoformat()]
        if truths:
            known, came = to.with_suffix(".parquet"), pd.read_json(truths, lines=True)
            departed = pd.to_datetime(came["departs"], utc=True) <= until - KNOWN_AFTER
            came[departed].drop(columns="departs").to_parquet(known)
            command += ["--truth", str(known)]
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = handoff([*command, "--format", "json"])
        report = {"hour": hour, "exit": code, "found": json.loads(output.getvalue())}
        if code:
            break
    to.write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("day")
    parser.add_argument("to", type=Path)
    parser.add_argument("hours", nargs="+", type=int)
    parser.add_argument("--truths", type=Path)
    main(**vars(parser.parse_args()))
