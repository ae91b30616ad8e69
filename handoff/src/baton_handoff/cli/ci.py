"""`handoff ci`: what the jobs of a pipeline run, the same on every provider and on a laptop."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from baton_handoff.cli.options import Commands, Options

if TYPE_CHECKING:
    from baton_handoff.config.project import Project
    from baton_handoff.reporting.findings import Finding, Format

_FILES: Mapping[str, "Format"] = {"findings.sarif": "sarif", "code-quality.json": "gitlab"}
"""The reports of the findings, in the formats that providers show beside a change."""


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add(
        "ci",
        _ci,
        "what a job of the pipeline runs: check, or oldest-python",
        description="Run what a job of the pipeline runs. `check`: checks, tests and the status"
        " at a push; for a change also its effect on the contracts and on each side, once for all"
        " jobs that report it. `oldest-python`: the tests on the oldest Python that the project"
        " supports.",
        epilog="exit code: 0 nothing blocks, 1 something blocks, 2 the command can't run",
    )
    command.add_argument("job", choices=("check", "oldest-python"), metavar="JOB")
    command.add_argument(
        "--base", help="the commit or branch to merge into; default: as the provider states it"
    )


def _ci(options: Options) -> int:
    if options.job == "oldest-python":
        from baton_handoff.integrations.oldest_python import run_tests

        return run_tests(options.project)
    return _check(options.project, options.base)


def _check(project: "Project", base: str | None) -> int:
    from baton_handoff.cli.policy import assessed, comment, write_page
    from baton_handoff.core.log_folds import folded
    from baton_handoff.integrations.ci_provider import annotations_in, base_in
    from baton_handoff.integrations.judged_change import RESULTS, judge, write_results
    from baton_handoff.policy.rendering.open_findings import open_findings
    from baton_handoff.reporting.findings import render

    base = base or base_in(os.environ)
    with _without_tokens():
        if base:
            with folded("What the change does to the contracts and to each side"):
                judged = judge(project, base, annotations_in(project))
                write_results(project.local / RESULTS, judged)
        assessment = assessed(project, base, run="push")
    found = open_findings(assessment, "push")
    project.local.mkdir(exist_ok=True)
    write_page(assessment, project.local / "status.html")
    for name, output in _FILES.items():
        (project.local / name).write_text(render(found, output, ""), encoding="utf-8")
    print(_report(project, found, base))
    comment(project, assessment, "push")
    return int(assessment.stops("push"))


@contextmanager
def _without_tokens() -> Iterator[None]:
    """Hide the tokens of comments from checks and tests, whose code the change may contain."""
    from baton_handoff.policy.status.missing_evidence import TOKENS

    tokens = {name: os.environ.pop(name) for name in TOKENS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(tokens)


def _report(project: "Project", found: Sequence["Finding"], base: str | None) -> str:
    """What blocks, first for people; then every finding as an annotation of a line."""
    from baton_handoff.integrations.ci_provider import annotations_in, as_log_lines
    from baton_handoff.reporting.findings import render

    blocking = [one for one in found if one.blocks]
    passed = f"Nothing blocks a push. Findings that are advice: {len(found)}, in status.html."
    parts = [as_log_lines(render(blocking, "terminal", passed))]
    if blocking:
        compared = f" --base {shlex.quote(base)}" if base else ""
        command = f"uv run handoff status --run --stage push{compared}"
        parts.append(f"The same on your machine: git fetch && {command}")
    if annotations := annotations_in(project):
        parts.append(render(found, annotations, ""))
    return "\n\n".join(filter(None, parts))
