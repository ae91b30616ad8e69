"""`handoff policy` and `handoff status`: what the project requires, and what of it is met."""

import gc
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from baton_handoff.cli.options import (
    Commands,
    Options,
    add_format,
    project_or_repository,
    write_html,
)
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.core.files import path_from
from baton_handoff.policy.practices.stages import STAGES, Stage

if TYPE_CHECKING:
    from baton_handoff.config.project import Project
    from baton_handoff.policy.practices.assessment import Assessment


def add(commands: Commands) -> None:
    """Add the commands of the group."""
    add_status(commands)
    commands.add("baseline", _baseline, "record the open findings; later: only shrink them")
    commands.add("owners", _owners, "write which team must approve which path")
    commands.add("radar", _radar, "each tool with its reason and its next review")


def add_status(commands: Commands) -> None:
    """Add `status`, which is short for `policy status`."""
    command = commands.add(
        "status",
        _status,
        "practices that are met, what blocks, and the side that must act",
        epilog="exit code: 0 nothing blocks at the stage, 1 something blocks, 2 can't run",
    )
    command.add_argument("--side", choices=SIDES, help="only the practices of this side")
    command.add_argument(
        "--stage", choices=STAGES, help="list what blocks at this stage; default: only count it"
    )
    command.add_argument(
        "--level", type=int, choices=(0, 1, 2), help="another level; default: the project's"
    )
    command.add_argument(
        "--base",
        nargs="?",
        const="",
        metavar="REF",
        help="judge by the stricter of REF and this state, as CI does, and list what the change"
        " lacks: tests, meanings of features; default of REF: where the branch started",
    )
    command.add_argument("--explain", metavar="PRACTICE", help="describe one practice")
    command.add_argument(
        "--run",
        dest="produce",
        action="store_true",
        help="first run the commands whose evidence the stage needs and lacks",
    )
    add_format(command)
    command.add_argument("--html", type=Path, metavar="FILE", help="also write an HTML page")
    command.add_argument(
        "--comment",
        action="store_true",
        help="in CI: also write the run's summary and the comment of the pull request",
    )
    command.set_defaults(find=project_or_repository, any_environment=True)


def _status(options: Options) -> int:
    from baton_handoff.policy.rendering.summary import for_side

    project = options.project
    if not project.adopted and (options.produce or options.base is not None):
        raise UsageError(
            f"{project.root} was not made with Baton, so --run and --base don't work there: run the"
            " commands that `handoff status` lists yourself."
        )
    stage: Stage = options.stage or "push"
    runs = options.produce and not options.explain
    run: Stage | None = (options.stage or "promotion") if runs else None
    assessment = assessed(project, options.base, options.level, run)
    if not project.adopted:
        gc.freeze()  # the end of the process would search all syntax trees, a fifth of the time
    if options.explain:
        from baton_handoff.policy.rendering.explanation import explain_practice
        from baton_handoff.reporting.terminal_style import TerminalStyle

        style = TerminalStyle.of(sys.stdout, os.environ)
        site = (project.root / "site/practices.html").is_file()
        print(explain_practice(assessment, options.explain, style, site=site))
        return 0
    assessment = for_side(assessment, options.side)
    print(_report(assessment, stage, options))
    if options.html:
        write_page(assessment, options.html)
    if options.comment:
        comment(project, assessment, stage)
    return int(assessment.stops(stage))


def assessed(
    project: "Project", base: str | None, level: int | None = None, run: Stage | None = None
) -> "Assessment":
    """Assess a project, after its own commands have run if a stage is given.

    Args:
        project: The project.
        base: What to compare with, empty for where the branch started; None: no comparison.
        level: Another level than the project's.
        run: The stage whose missing evidence the commands produce; None: nothing runs.
    """
    from baton_handoff.policy.status.champion_way import way_to_champion
    from baton_handoff.policy.status.missing_evidence import produce
    from baton_handoff.policy.status.status import assess, assess_change

    def assessment_now() -> "Assessment":
        if base is None:
            return assess(project, level)
        return assess_change(project, base or None, level)

    assessment = assessment_now()
    if run:
        produce(project, assessment, run)
        # As in CI. A status alone reads no file for secrets, so that it stays fast.
        from baton_handoff.lineage.sources.tables import table_findings
        from baton_handoff.source_code.secrets import find_secrets

        assessment = assessment_now()
        found = [*assessment.change_findings, *find_secrets(project), *table_findings(project)]
        assessment = replace(assessment, change_findings=found)
    if project.adopted:
        # Without an answer of the registry, its practices are the ones that tell it.
        with suppress(HandoffError):
            assessment = replace(assessment, way=way_to_champion(project, assessment))
    return assessment


def _report(assessment: "Assessment", stage: Stage, options: Options) -> str:
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
            import json

            from baton_handoff.policy.rendering.json_report import json_report

            return json.dumps(json_report(assessment, stage), indent=2)
        case other:
            from baton_handoff.policy.rendering.open_findings import open_findings
            from baton_handoff.reporting.findings import render

            findings = open_findings(assessment, stage)
            known = assessment.unmanaged
            home = {"home": known.home} if known else {}
            return render(findings, other, "Every practice that is required is met.", **home)


def write_page(assessment: "Assessment", file: Path) -> None:
    """Write the report as a page."""
    from baton_handoff.policy.evidence.recording import utc_timestamp
    from baton_handoff.policy.rendering.html_report import html_report

    write_html(file, html_report(assessment, utc_timestamp()))


def comment(project: "Project", assessment: "Assessment", stage: Stage) -> None:
    """Post the report; an error is printed and does not change the exit code."""
    from baton_handoff.integrations.pull_request_comments import post
    from baton_handoff.policy.rendering.markdown_report import markdown_report

    try:
        post(project, markdown_report(assessment, stage), os.environ)
    except HandoffError as error:
        print(error, file=sys.stderr)


def _baseline(options: Options) -> None:
    from baton_handoff.policy.status.baseline_recording import record

    print(record(options.project))


def _owners(options: Options) -> None:
    from baton_handoff.config.code_owners import write_owners

    project = options.project
    name = path_from(project.root, write_owners(project))
    print(f"Wrote {name}: which team must approve which path at level {project.level}.")


def _radar(options: Options) -> None:
    from datetime import UTC, datetime

    from baton_handoff.policy.decisions import first_commit_day, radar, radar_text, read_decisions

    made, first_commit = read_decisions(options.project), first_commit_day(options.project)
    rows = radar(made, first_commit, datetime.now(UTC).date())
    print(radar_text(rows) or "No decision in docs/decisions/ names a tool.")
