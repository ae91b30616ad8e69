"""Who has to act on what is red."""

import argparse
from typing import Any

from baton_handoff.cli.options import BASE, add_format
from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.reporting.findings import render


def add(commands: Any) -> None:
    """Add its command to those of `handoff`."""
    command = commands.add_parser("triage", help="who has to act on what is red")
    command.add_argument("--base", help="the commit or branch to merge into" + BASE)
    command.add_argument("--since", help="look for the commit that an inherited break began with")
    command.add_argument(
        "--side", choices=SIDES, help="only what this side has to act on, alone or with others"
    )
    add_format(command)
    command.set_defaults(run=_triage)


def _triage(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.status.change_findings import TRIAGE, kept
    from baton_handoff.triage.experiment import triage

    with kept(project, TRIAGE, options.base) as keep:
        found = triage(project, options.base, options.since)
        keep(found)
    if options.side:
        found = [finding for finding in found if finding.side in (options.side, None)]
    nothing = f"Nothing is red for {options.side}." if options.side else "Nothing is red."
    print(render(found, options.format, nothing))
    return int(any(finding.blocks for finding in found))
