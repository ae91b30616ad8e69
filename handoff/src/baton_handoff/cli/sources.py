"""Where the data comes from."""

import argparse
import json
from typing import Any

from baton_handoff.cli.options import add_format
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.reporting.findings import shown


def add(commands: Any) -> None:
    """Add its commands to those of `handoff`."""
    command = commands.add_parser(
        "sources", help="what is read, where it comes from, who owns it, what is wrong with it"
    )
    command.add_argument(
        "--check", action="store_true", help="only say what is not as it should be"
    )
    add_format(command)
    command.set_defaults(run=_list, json=False)
    kinds = command.add_subparsers(metavar="list | add | report-problem")

    kind = kinds.add_parser("list", help="every source, and every place that reads one")
    kind.add_argument("--json", action="store_true")
    kind.set_defaults(run=_list)

    kind = kinds.add_parser("add", help="a draft for something that is read")
    kind.add_argument("what", metavar="FILE", help="a file, an address, or what the code reads")
    kind.set_defaults(run=_add)

    kind = kinds.add_parser(
        "report-problem", help="the text of an issue for a source's owner, without any value"
    )
    kind.add_argument("source", metavar="SOURCE", help="by its name in the list")
    kind.set_defaults(run=_report_problem)


def _list(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.lineage.sources.checks import findings
    from baton_handoff.lineage.sources.observation import look
    from baton_handoff.lineage.sources.rendering import as_data, as_text

    seen = look(project)
    if options.check:
        found = findings(seen, binding=project.level > 0)
        print(shown(found, options.format, "Every source is described, and owned."))
        return int(any(finding.blocks for finding in found))
    if options.format != "terminal":
        raise HandoffError("--format is for findings, with --check; the list has --json.")
    nothing = "The code reads nothing yet, and no source is described."
    print(json.dumps(as_data(seen), indent=2) if options.json else as_text(seen) or nothing)
    return 0


def _add(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.lineage.sources.draft import add_source
    from baton_handoff.lineage.sources.observation import look

    path = add_source(project, look(project), options.what)
    print(f"{path}   a draft: `uv run poe sources --check` says what it leaves open")
    return 0


def _report_problem(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.lineage.sources.observation import look
    from baton_handoff.lineage.sources.report import problem_report

    text = problem_report(project, look(project), options.source)
    print(text or f"Nothing is known to be wrong with {options.source}.")
    return 0
