"""Checking the project as it stands, and mending what tools can mend."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from baton_handoff.cli.contract import api
from baton_handoff.cli.feature import store_shown
from baton_handoff.cli.options import add_format
from baton_handoff.cli.policy import write_owners
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.evidence.steps import CHECKABLE, CHECKED, FIXED
from baton_handoff.reporting.findings import Finding, Format, render

if TYPE_CHECKING:
    from baton_handoff.policy.evidence.checking import StepResult


def add(commands: Any) -> None:
    """Add its commands to those of `handoff`."""
    command = commands.add_parser(
        "check",
        help=f"{_listed(CHECKED)}, at once",
        epilog="exit code: 0 nothing blocks, 1 something blocks, 2 it can't be carried out",
    )
    command.add_argument("--only", choices=CHECKABLE, metavar="NAME", help=_names(CHECKABLE))
    command.add_argument("files", nargs="*", metavar="FILE", help="with --only: these files only")
    add_format(command)
    command.set_defaults(run=_check)

    command = commands.add_parser(
        "fix",
        help=f"{_listed(FIXED)}: mend or write what needs no person",
    )
    command.add_argument("--only", choices=FIXED, metavar="NAME", help=_names(FIXED))
    command.add_argument("files", nargs="*", metavar="FILE", help="with --only: these files only")
    command.set_defaults(run=_fix)

    command = commands.add_parser("test", help="the project's own tests, notebooks included")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help="what pytest takes")
    command.set_defaults(run=_test)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _names(names: Sequence[str]) -> str:
    return f"one step: {', '.join(names)}"


def _check(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.evidence.checking import check, check_one

    if options.only:
        return check_one(project, options.only, STEP_CHECKS, options.files, options.format)
    if options.files or options.format != "terminal":
        raise HandoffError("FILE and --format are for one step: say which by --only.")
    return check(project, STEP_CHECKS)


def _fix(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.evidence.checking import fix

    return fix(project, STEP_FIXES, options.only, options.files)


def _test(project: Project, options: argparse.Namespace) -> int:
    from baton_handoff.policy.evidence.recording import run_recorded
    from baton_handoff.policy.evidence.steps import STEPS

    more = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    return run_recorded(project, "test", [*STEPS["test"].command, *more])


def _found(findings: Sequence[Finding], how: Format, nothing: str) -> "StepResult":
    from baton_handoff.policy.evidence.checking import StepResult

    blocks = any(finding.blocks for finding in findings)
    return StepResult(int(blocks), render(findings, how, nothing), advice=bool(findings))


def _said(ok: bool, says: str, how: Format) -> "StepResult":
    from baton_handoff.policy.evidence.checking import StepResult

    if how != "terminal":
        raise HandoffError("It finds no places: leave out --format.")
    return StepResult(int(not ok), says)


def _look_at_api(project: Project, how: Format) -> "StepResult":
    from baton_handoff.contracts.row_models import is_current

    file, source = api(project)
    name = file.relative_to(project.root).as_posix()
    if is_current(file, source):
        return _said(True, f"{name} is what the contracts say.", how)
    return _said(False, f"{name} is not what the contracts say: `uv run poe fix`", how)


def _look_at_features(project: Project, how: Format) -> "StepResult":
    from baton_handoff.lineage.features.catalogue import check_features

    return _found(check_features(project), how, "No feature is computed outside features/.")


def _look_at_owners(project: Project, how: Format) -> "StepResult":
    from baton_handoff.config.code_owners import owners_are_current, owners_file

    name = owners_file(project).relative_to(project.root)
    if owners_are_current(project):
        return _said(True, f"{name} is what sides, teams and level say.", how)
    return _said(False, f"{name} is not what sides, teams and level say: `uv run poe fix`", how)


def _look_at_sources(project: Project, how: Format) -> "StepResult":
    from baton_handoff.lineage.sources.checks import findings
    from baton_handoff.lineage.sources.usage import source_usage

    found = findings(source_usage(project), binding=project.level > 0)
    return _found(found, how, "Every source is described, and owned.")


def _look_at_radar(project: Project, how: Format) -> "StepResult":
    from datetime import UTC, datetime

    from baton_handoff.policy.decisions import check_tools

    nothing = "Every tool was chosen on purpose, and none is to be looked at again."
    return _found(check_tools(project, datetime.now(UTC).date()), how, nothing)


def _look_at_feature_store(project: Project, how: Format) -> "StepResult":
    from baton_handoff.integrations.feast.store import check
    from baton_handoff.policy.evidence.checking import StepResult

    store = check(project)
    return StepResult(int(bool(store.findings)), store_shown(store, how))


def _mend_api(project: Project) -> str:
    from baton_handoff.contracts.row_models import is_current

    file, source = api(project)
    if is_current(file, source):
        return ""
    file.write_text(source, encoding="utf-8")
    return f"{file.relative_to(project.root).as_posix()} says what the contracts say."


def _mend_owners(project: Project) -> str:
    from baton_handoff.config.code_owners import owners_are_current

    return "" if owners_are_current(project) else write_owners(project)


STEP_CHECKS = {
    "api": _look_at_api,
    "features": _look_at_features,
    "owners": _look_at_owners,
    "sources": _look_at_sources,
    "radar": _look_at_radar,
    "feature-store": _look_at_feature_store,
}
"""What finds out by itself what a step asks, where no tool does."""

STEP_FIXES = {"api": _mend_api, "owners": _mend_owners}
"""What writes by itself what a step asks for."""
