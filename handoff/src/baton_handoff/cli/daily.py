"""From a new project to a trained model."""

import argparse
import os
import subprocess
from pathlib import Path
from typing import Any

from baton_handoff.cli.options import add_format
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import continued, handed_on
from baton_handoff.reporting.findings import shown


def add(commands: Any) -> None:
    """Add its commands to those of `handoff`."""
    command = commands.add_parser("setup", help="git repository and hooks")
    command.set_defaults(run=_setup)

    command = commands.add_parser("new-contract", help="contracts from a table of yours")
    command.add_argument("file", type=Path, help="a CSV, Parquet or Excel file")
    command.add_argument("--target", required=True, help="the column to predict")
    command.add_argument(
        "--task", choices=["classification", "regression"], help="by default what the values say"
    )
    command.add_argument("--replace", action="store_true", help="write over a contract there is")
    command.set_defaults(run=_new_contract)

    command = commands.add_parser("pipeline", help="from raw data to an evaluated model")
    command.set_defaults(run=_pipeline)

    command = commands.add_parser("docs", help="a site with a data dictionary from the code")
    command.add_argument("--serve", action="store_true", help="show it on this machine, live")
    command.add_argument("--port", type=int, default=8001)
    command.set_defaults(run=_docs)

    command = commands.add_parser("radar", help="each tool, why, and when to look at it again")
    command.add_argument(
        "--check", action="store_true", help="only what was not chosen on purpose, or is overdue"
    )
    add_format(command)
    command.set_defaults(run=_radar)


def _setup(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.integrations.setup import set_up

    set_up(project)
    return 0


def _new_contract(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.lineage.first_contract import start_from

    start_from(project, options.file, options.target, task=options.task, replace=options.replace)
    return 0


def _pipeline(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.core.git import require_repository

    # Importing contracts takes longer than seeing that nothing changed; once it ran, they exist.
    if not (project.root / "dvc.lock").exists():
        from baton_handoff.contracts import border

        border(project.room("contracts"))
    require_repository(project.root)
    # DVC writes these in place, and stops at one that a kill or a full disk has left empty.
    for file in (project.root / "dvc.lock", project.root / ".dvc/tmp/rwlock"):
        if file.exists() and not file.stat().st_size:
            file.unlink()
    with continued("pipeline", os.environ):
        env = os.environ | handed_on()
        return subprocess.run(["dvc", "repro"], cwd=project.root, env=env, check=False).returncode


def _docs(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.integrations.docs_site.build import make_docs, serve_docs

    if options.serve:
        serve_docs(project, options.port)
    else:
        make_docs(project)
    return 0


def _radar(project: Project, options: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from baton_handoff.policy.decisions import as_text, begun, check_tools, decisions, radar

    today = datetime.now(UTC).date()
    if options.check:
        nothing = "Every tool was chosen on purpose, and none is to be looked at again."
        print(shown(check_tools(project, today), options.format, nothing))
        return 0
    if options.format != "terminal":
        raise HandoffError("--format is for findings, with --check.")
    rows = radar(decisions(project), begun(project), today)
    print(as_text(rows) or "docs/decisions/ names no tool yet.")
    return 0
