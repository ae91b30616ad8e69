"""What the two sides have agreed on: contracts of tables, of the model, of the API."""

import argparse
from pathlib import Path
from typing import Any

from baton_handoff.cli.options import BASE, add_format
from baton_handoff.config.project import Project
from baton_handoff.reporting.findings import render


def add(commands: Any) -> None:
    """Add its commands to those of `handoff contract`."""
    command = commands.add_parser("new", help="contracts from a table of yours")
    command.add_argument("file", type=Path, help="a CSV, Parquet or Excel file")
    command.add_argument("--target", required=True, help="the column to predict")
    command.add_argument(
        "--task", choices=["classification", "regression"], help="by default what the values say"
    )
    command.add_argument("--replace", action="store_true", help="write over a contract there is")
    command.set_defaults(run=_new)

    command = commands.add_parser("diff", help="what a change does to the contracts, and to whom")
    command.add_argument("--base", help="a commit, a branch, or a contracts wheel" + BASE)
    command.add_argument(
        "--changelog", action="store_true", help="also write contracts/CHANGELOG.md"
    )
    add_format(command)
    command.set_defaults(run=_diff)

    command = commands.add_parser("api", help="generate the API's models from the contracts")
    command.set_defaults(run=_api)

    command = commands.add_parser("wheel", help="a wheel for whoever shares the contracts")
    command.add_argument("--to", type=Path, default=Path("dist"), help="the folder to write it to")
    command.set_defaults(run=_wheel)


def api(project: Project, *, begun: bool = False) -> tuple[Path, str]:
    """The file of the API's models, and what it has to be.

    Args:
        project: The project.
        begun: Whether the first contract must be there; before it there is an empty one.

    Raises:
        HandoffError: There is no contract yet, and there must be one.
    """
    from baton_handoff.contracts import model_interface
    from baton_handoff.contracts.row_models import api_source

    source = api_source(*model_interface(project.room("contracts"), require_columns=begun))
    return project.source / "contracts" / "api.py", source


def _new(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.lineage.first_contract import start_from

    start_from(project, options.file, options.target, task=options.task, replace=options.replace)
    return 0


def _diff(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts.diff import (
        differences,
        findings,
        has_no_base_contracts,
        write_changelog,
    )
    from baton_handoff.policy.status.change_findings import DIFF, kept

    with kept(project, DIFF, options.base) as keep:
        changed = differences(project, options.base)
        found = list(findings(changed))
        keep(found)
    nothing = "The contracts are what they were."
    if not found and has_no_base_contracts(project, options.base):
        nothing = "Nothing to compare with yet: there are no contracts before this change."
    print(render(found, options.format, nothing))
    if options.changelog:
        write_changelog(project, changed)
    return int(any(finding.blocks for finding in found))


def _api(project: Project, _: argparse.Namespace) -> int:
    file, source = api(project, begun=True)
    file.write_text(source, encoding="utf-8")
    return 0


def _wheel(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.contracts.wheel import build_contracts

    print(build_contracts(project, options.to))
    return 0
