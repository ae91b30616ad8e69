"""`handoff check`, `fix` and `test`: check the project, correct what tools can correct."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from baton_handoff.cli.contract import api_models
from baton_handoff.cli.feature import describe_store
from baton_handoff.cli.options import Commands, Options, add_format, from_root
from baton_handoff.core.errors import UsageError
from baton_handoff.core.files import path_from
from baton_handoff.policy.evidence.steps import CHECKABLE, FIXED, STEPS
from baton_handoff.reporting.findings import Finding, Format, render

if TYPE_CHECKING:
    from baton_handoff.config.project import Project
    from baton_handoff.policy.evidence.checking import StepCheck, StepResult
    from baton_handoff.policy.evidence.fixing import Generate, Generated


def add(commands: Commands) -> None:
    """Add the commands."""
    command = commands.add(
        "check",
        _check,
        "every check of the project, in parallel (--only NAME: one)",
        epilog="exit code: 0 nothing blocks, 1 something blocks, 2 the command can't run",
    )
    _add_step(command, CHECKABLE)
    add_format(command)

    command = commands.add(
        "fix",
        _fix,
        f"correct or write without asking: {', '.join(FIXED)}, type hints",
        description="Correct format, style, syntax, imports and type hints, and write what is"
        " generated. If more than the format changes, the tests run before and after; if tests"
        " fail because of it, it is taken back. The report ends with what no tool can fix.",
        epilog="exit code: 0 nothing is left, 1 something is, 2 the command can't run",
    )
    _add_step(command, FIXED)
    command.add_argument(
        "--diff",
        action="store_true",
        help="write nothing, run no test, print what would change; exit 1 if anything would",
    )

    command = commands.add("test", _test, "run the project's own tests and its notebooks")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of pytest")


def _add_step(command: argparse.ArgumentParser, names: Sequence[str]) -> None:
    command.add_argument(
        "--only", choices=names, metavar="NAME", help=f"one step: {', '.join(names)}"
    )
    command.add_argument("files", nargs="*", metavar="FILE", help="with --only: these files only")


def _check(options: Options) -> int:
    from baton_handoff.policy.evidence.checking import check, check_one

    if options.only:
        files = from_root(options, options.files)
        return check_one(options.project, options.only, STEP_CHECKS, files, options.format)
    if options.files or options.format != "terminal":
        raise UsageError("FILE and --format need a single step: add --only NAME.")
    return check(options.project, STEP_CHECKS)


def _fix(options: Options) -> int:
    from baton_handoff.cli.fix_report import fix_report, preview_report
    from baton_handoff.policy.evidence.checking import fix_one
    from baton_handoff.policy.evidence.fixing import fix_project, preview

    project, only = options.project, options.only
    files = from_root(options, options.files)
    if files and (only is None or STEPS[only].file_options is None):
        able = [name for name in FIXED if STEPS[name].file_options is not None]
        raise UsageError(f"Only {' and '.join(able)} take files: choose one with --only.")
    if options.diff and only:
        raise UsageError("--diff shows all corrections: leave out --only.")
    if only and STEPS[only].runs_tool:
        return fix_one(project, only, files)
    if only:
        if made := STEP_FIXES[only](project):
            made.file.write_bytes(made.text.encode())
            print(f"Wrote {path_from(project.root, made.file)}.")
        return 0
    if options.diff:
        fix = preview(project, STEP_FIXES.values())
        print(preview_report(fix))
        return 2 if fix.errors else int(bool(fix.changes))
    fix = fix_project(project, STEP_FIXES.values(), _tell_of_tests)
    print(fix_report(fix))
    return fix.exit_code


def _tell_of_tests(files: Sequence[str]) -> None:
    many = f"{files[0]} and {len(files) - 1} more" if len(files) > 1 else files[0]
    print(f"Running the tests before and after: the fix changes the code of {many} …", flush=True)


def _test(options: Options) -> int:
    from baton_handoff.policy.evidence.recording import record_run

    arguments = options.arguments
    more = arguments[1:] if arguments[:1] == ["--"] else arguments
    command = [*STEPS["test"].command, *from_root(options, more)]
    return record_run(options.project, "test", command).exit_code


_Found: TypeAlias = tuple[Sequence[Finding], str]
"""Findings, and the message for people if there are none."""


def _check_secrets(project: "Project") -> _Found:
    from baton_handoff.source_code.secrets import find_secrets

    return find_secrets(project), "No file contains a password, a key or a token."


def _check_conflicts(project: "Project") -> _Found:
    from baton_handoff.updates.conflicts import find_conflicts
    from baton_handoff.updates.state import hindrances

    return [*find_conflicts(project), *hindrances(project)], "No file contains a conflict."


def _check_api(project: "Project") -> _Found:
    from baton_handoff.contracts.row_models import is_current

    path, source = api_models(project)
    return _check_generated(project, path, "the contracts", is_current=is_current(path, source))


def _check_owners(project: "Project") -> _Found:
    from baton_handoff.config.code_owners import owners_are_current, owners_file

    is_current = owners_are_current(project)
    origin = "the sides, teams and level"
    return _check_generated(project, owners_file(project), origin, is_current=is_current)


def _check_generated(project: "Project", file: Path, origin: str, *, is_current: bool) -> _Found:
    path = path_from(project.root, file)
    if is_current:
        return [], f"{path} matches {origin}."
    message = f"{path} does not match {origin}"
    return [Finding("generated", message, True, file=path, fix="run `uv run poe fix`")], ""


def _check_features(project: "Project") -> _Found:
    from baton_handoff.lineage.features.catalogue import check_features

    return check_features(project), "No feature is computed outside features/."


def _check_sources(project: "Project") -> _Found:
    from baton_handoff.lineage.sources.checks import findings
    from baton_handoff.lineage.sources.tables import table_findings
    from baton_handoff.lineage.sources.usage import source_usage

    found = findings(source_usage(project), binding=project.level > 0)
    found += table_findings(project)
    return found, "Every source is described and has an owner."


def _check_radar(project: "Project") -> _Found:
    from datetime import UTC, datetime

    from baton_handoff.policy.decisions import check_tools

    found = check_tools(project, datetime.now(UTC).date())
    return found, "Every tool was chosen on purpose, and no review is due."


def _check_feature_store(project: "Project") -> _Found:
    from baton_handoff.integrations.feast.store import check

    store = check(project)
    return store.findings, describe_store(store)


def _check_pipeline(project: "Project") -> _Found:
    from baton_handoff.policy.evidence.pipeline import pipeline_changes

    return pipeline_changes(project.root), "DVC reports all stages as up to date."


def _check_infrastructure(project: "Project") -> _Found:
    from baton_handoff.policy.evidence.terraform import terraform_findings

    return terraform_findings(project), "Every configuration in infra/ is valid, its tests pass."


def _fix_api(project: "Project") -> "Generated | None":
    from baton_handoff.contracts.row_models import is_current
    from baton_handoff.policy.evidence.fixing import Generated

    path, source = api_models(project)
    return None if is_current(path, source) else Generated(path, source)


def _fix_owners(project: "Project") -> "Generated | None":
    from baton_handoff.config.code_owners import owners_are_current, owners_file, owners_text
    from baton_handoff.policy.evidence.fixing import Generated

    if owners_are_current(project):
        return None
    return Generated(owners_file(project), owners_text(project))


def _step_check(find: Callable[["Project"], _Found]) -> "StepCheck":
    def check(project: "Project", format: Format) -> "StepResult":  # noqa: A002
        from baton_handoff.policy.evidence.checking import StepResult

        findings, when_empty = find(project)
        blocks = any(finding.blocks for finding in findings)
        message = render(findings, format, when_empty)
        return StepResult(int(blocks), message, advice=bool(findings), findings=findings)

    return check


STEP_CHECKS: "Mapping[str, StepCheck]" = {
    "conflicts": _step_check(_check_conflicts),
    "secrets": _step_check(_check_secrets),
    "api": _step_check(_check_api),
    "features": _step_check(_check_features),
    "owners": _step_check(_check_owners),
    "sources": _step_check(_check_sources),
    "radar": _step_check(_check_radar),
    "pipeline": _step_check(_check_pipeline),
    "feature-store": _step_check(_check_feature_store),
    "infrastructure": _step_check(_check_infrastructure),
}
"""The checks that no tool runs, by step."""

STEP_FIXES: "Mapping[str, Generate]" = {"api": _fix_api, "owners": _fix_owners}
"""The files that no tool writes, by step."""
