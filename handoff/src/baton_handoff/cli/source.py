"""Where the data comes from."""

import argparse
import json
from typing import Any

from baton_handoff.config.project import Project


def add(commands: Any) -> None:
    """Add its commands to those of `handoff source`."""
    command = commands.add_parser(
        "list", help="what is read, where it comes from, who owns it, what is wrong with it"
    )
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_list)

    command = commands.add_parser("add", help="a draft for something that is read")
    command.add_argument("what", metavar="FILE", help="a file, an address, or what the code reads")
    command.set_defaults(run=_add)

    command = commands.add_parser(
        "report", help="the text of an issue for a source's owner, without any value"
    )
    command.add_argument("source", metavar="SOURCE", help="by its name in the list")
    command.set_defaults(run=_report)


def _list(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.lineage.sources.rendering import as_data, as_text
    from baton_handoff.lineage.sources.usage import source_usage

    usage = source_usage(project)
    nothing = "The code reads nothing yet, and no source is described."
    print(json.dumps(as_data(usage), indent=2) if options.json else as_text(usage) or nothing)
    return 0


def _add(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.lineage.sources.draft import add_source
    from baton_handoff.lineage.sources.usage import source_usage

    path = add_source(project, source_usage(project), options.what)
    print(f"{path}   a draft: `uv run poe check --only sources` says what it leaves open")
    return 0


def _report(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.lineage.sources.report import problem_report
    from baton_handoff.lineage.sources.usage import source_usage

    text = problem_report(project, source_usage(project), options.source)
    print(text or f"Nothing is known to be wrong with {options.source}.")
    return 0
