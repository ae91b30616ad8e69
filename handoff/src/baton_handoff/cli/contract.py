"""`handoff contract`: the contracts of the tables, the model and the API."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from baton_handoff.cli.options import (
    BASE,
    Commands,
    Options,
    add_format,
    print_beside_findings,
    print_findings,
)

if TYPE_CHECKING:
    from baton_handoff.config.project import Project


def add(commands: Commands) -> None:
    """Add the commands of the group."""
    command = commands.add("new", _new, "write contracts for a table of yours")
    command.add_argument("file", type=Path, help="a table: CSV, JSON lines, Parquet or Excel")
    command.add_argument("--target", required=True, help="the column to predict")
    command.add_argument(
        "--task",
        choices=["classification", "regression"],
        help="default: derived from the values of the target",
    )
    command.add_argument("--encoding", default="", help="of a text file; default: detected")
    command.add_argument(
        "--sheet", default="", help="of a workbook; default: the first with the target"
    )
    for name, metavar, text in (
        ("missing", "VALUE", "a text or number that means a missing value, such as -999"),
        ("drop", "COLUMN", "a column to leave out"),
        ("keep", "COLUMN", "a column to use, even if it looks like an id or is constant"),
    ):
        command.add_argument(
            f"--{name}", metavar=metavar, action="append", default=[], help=f"{text}; repeatable"
        )
    command.add_argument("--replace", action="store_true", help="overwrite existing contracts")

    command = commands.add("join", _join, "join another table of yours to the first one")
    command.add_argument("file", type=Path, help="a table with one row for each key")
    command.add_argument(
        "--on", nargs="+", required=True, metavar="COLUMN", help="the columns that both have"
    )

    command = commands.add("diff", _diff, "how a change alters the contracts, and for which side")
    command.add_argument("--base", help="a commit, a branch, or a contracts wheel" + BASE)
    command.add_argument(
        "--changelog", action="store_true", help="also write contracts/CHANGELOG.md"
    )
    add_format(command)

    commands.add("api", _api, "generate the API's models from the contracts")

    command = commands.add("wheel", _wheel, "build a wheel of the contracts for another repository")
    command.add_argument("--to", type=Path, help="the folder for the wheel; default: dist")


def api_models(project: "Project", *, require_columns: bool = False) -> tuple[Path, str]:
    """Generate the API's models.

    Returns:
        The path and the content of the file.

    Raises:
        HandoffError: The contracts can't be used, or have no columns yet.
    """
    from baton_handoff.contracts import model_interface
    from baton_handoff.contracts.row_models import api_source

    contracts = model_interface(project.room("contracts"), require_columns=require_columns)
    return project.source / "contracts" / "api.py", api_source(*contracts)


def _new(options: Options) -> None:
    from baton_handoff.lineage.first_contract import start_from
    from baton_handoff.lineage.own_table import Choices

    choices = Choices(
        options.task,
        options.encoding,
        options.sheet,
        tuple(options.missing),
        tuple(options.keep),
        tuple(options.drop),
    )
    start_from(options.project, options.file, options.target, choices, replace=options.replace)


def _join(options: Options) -> None:
    from baton_handoff.lineage.first_contract import join

    join(options.project, options.file, options.on)


def _diff(options: Options) -> int:
    from baton_handoff.integrations.judged_change import compared_contracts

    found, compared = compared_contracts(options.project, options.base, changelog=options.changelog)
    code = print_findings(found, options, compared)
    if found or options.format != "terminal":
        print_beside_findings(compared, options)
    return code


def _api(options: Options) -> None:
    file, source = api_models(options.project, require_columns=True)
    file.write_text(source, encoding="utf-8")


def _wheel(options: Options) -> None:
    from baton_handoff.contracts.wheel import build_contracts

    to = options.to or Path(os.path.relpath(options.project.root / "dist"))
    print(build_contracts(options.project, to))
