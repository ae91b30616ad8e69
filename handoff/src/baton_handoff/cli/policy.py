"""What is asked of the project, and where it stands."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baton_handoff.cli.options import add_format
from baton_handoff.config.project import Project, find_project, settings_file
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.practices.practice import STAGES, Stage

if TYPE_CHECKING:
    from baton_handoff.policy.practices.assessment import Assessment


def add(commands: Any) -> None:
    """Add its commands to those of `handoff policy`."""
    add_status(commands)
    command = commands.add_parser(
        "baseline", help="record what is open, or, once that is done, only what is mended since"
    )
    command.set_defaults(run=_baseline)

    command = commands.add_parser("owners", help="write who must approve which path")
    command.set_defaults(run=_owners)

    command = commands.add_parser("radar", help="each tool, why, and when to look at it again")
    command.set_defaults(run=_radar)


def add_status(commands: Any) -> None:
    """Add `status`, which is short for `policy status`."""
    command = commands.add_parser(
        "status",
        help="what is reached, what blocks, and whose turn it is",
        epilog="exit code: 0 nothing blocks at that stage, 1 something does, 2 it can't be"
        " carried out",
    )
    command.add_argument("--side", choices=SIDES, help="only what is asked of this side")
    command.add_argument(
        "--stage", choices=STAGES, help="list what blocks then; by default it is only counted"
    )
    command.add_argument(
        "--level", type=int, choices=(0, 1, 2), help="look ahead, or back; by default the project's"
    )
    command.add_argument(
        "--base",
        nargs="?",
        const="",
        metavar="REF",
        help="judge by the stricter of REF and this, as CI does, and list what the change does not"
        " bring along: tests, meanings of features; by default REF is what the branch goes back to",
    )
    command.add_argument("--explain", metavar="PRACTICE", help="what it is, and what is asked")
    command.add_argument(
        "--run",
        dest="produce",
        action="store_true",
        help="first run what shows what is missing at the stage",
    )
    add_format(command)
    command.add_argument("--html", type=Path, metavar="FILE", help="also write it as one page")
    command.add_argument(
        "--comment",
        action="store_true",
        help="in CI: also show it in the run's summary, and in a pull request as its one comment",
    )
    command.set_defaults(run=_status, find=_project_or_repository)


def _project_or_repository() -> Project:
    """The project; where Baton is not in use, the repository, which is only looked at."""
    if settings_file():
        return find_project()
    from baton_handoff.policy.unmanaged.repository import find_repository

    return find_repository()


def _status(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.rendering.summary import for_side
    from baton_handoff.policy.status.missing_evidence import produce
    from baton_handoff.policy.status.status import assess, assess_change

    def look() -> "Assessment":
        if options.base is None:
            return assess(project, options.level)
        return assess_change(project, options.base or None, options.level)

    if not project.adopted and (options.produce or options.base is not None):
        raise HandoffError(
            f"{project.root} was not made with Baton, so nothing is run there, nor held against a"
            " base: run yourself what `handoff status` names."
        )
    assessment = look()
    if options.explain:
        from baton_handoff.policy.rendering.explanation import explain_practice
        from baton_handoff.reporting.terminal_style import TerminalStyle

        site = (project.root / "site/practices.html").is_file()
        print(
            explain_practice(
                assessment, options.explain, TerminalStyle.of(sys.stdout, os.environ), site=site
            )
        )
        return 0
    if options.produce:
        produce(project, assessment, options.stage or "promotion")
        assessment = look()
    assessment = for_side(assessment, options.side)
    print(_report(assessment, options.stage or "push", options))
    if options.html:
        _write_page(assessment, options.html)
    if options.comment:
        _comment(project, assessment, options.stage or "push")
    return int(assessment.stops(options.stage or "push"))


def _report(assessment: "Assessment", stage: Stage, options: argparse.Namespace) -> str:
    match options.format:
        case "terminal":
            from baton_handoff.policy.rendering.terminal_report import terminal_report
            from baton_handoff.reporting.terminal_style import TerminalStyle

            style = TerminalStyle.of(sys.stdout, os.environ)
            return terminal_report(assessment, style, options.stage)
        case "markdown":
            from baton_handoff.policy.rendering.markdown_report import markdown_report

            return markdown_report(assessment, stage)
        case "json":
            from baton_handoff.policy.rendering.json_report import json_report

            return json.dumps(json_report(assessment, stage), indent=2)
        case other:
            from baton_handoff.policy.rendering.open_findings import open_findings
            from baton_handoff.reporting.findings import render

            findings = open_findings(assessment, stage)
            return render(findings, other, "Every practice that is required is met.")


def _write_page(assessment: "Assessment", file: Path) -> None:
    from baton_handoff.policy.evidence.recording import utc_timestamp
    from baton_handoff.policy.rendering.html_report import html_report

    try:
        file.write_text(html_report(assessment, utc_timestamp()), encoding="utf-8")
    except OSError as error:
        raise HandoffError(f"{file} can't be written ({error.strerror}).") from error


def _comment(project: Project, assessment: "Assessment", stage: Stage) -> None:
    """What keeps a comment away is said, and changes nothing of what is judged."""
    from baton_handoff.integrations.pull_request_comments import post
    from baton_handoff.policy.rendering.markdown_report import markdown_report

    try:
        post(project, markdown_report(assessment, stage), os.environ)
    except HandoffError as error:
        print(error, file=sys.stderr)


def _baseline(project: Project, _: argparse.Namespace) -> int:
    from baton_handoff.policy.status.baseline_recording import record

    print(record(project))
    return 0


def write_owners(project: Project) -> str:
    """Write who must approve which path, and say where."""
    from baton_handoff.config import code_owners as owners

    name = owners.write_owners(project).relative_to(project.root)
    return f"{name} says who must approve which path at level {project.level}."


def _owners(project: Project, _: argparse.Namespace) -> int:
    print(write_owners(project))
    return 0


def _radar(project: Project, _: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from baton_handoff.policy.decisions import as_text, begun, decisions, radar

    rows = radar(decisions(project), begun(project), datetime.now(UTC).date())
    print(as_text(rows) or "docs/decisions/ names no tool yet.")
    return 0
