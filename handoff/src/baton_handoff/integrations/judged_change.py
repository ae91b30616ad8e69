"""What a change does to the contracts and to both sides: compared once, reported for each.

`handoff contract diff` and `handoff triage` report one of them. CI runs both in one job and writes
a result for each of the jobs that a repository requires, which then need no environment.
"""

import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.config.sides import CONTRACTS, SIDES
from baton_handoff.contracts.diff import (
    NoBaseContractsError,
    compare_with_base,
    findings,
    write_changelog,
)
from baton_handoff.contracts.sentences import base_text
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.ci_provider import as_log_lines
from baton_handoff.policy.status.base_policy import change_since
from baton_handoff.policy.status.change_findings import kept
from baton_handoff.reporting.findings import Finding, Format, render
from baton_handoff.triage.experiment import TIME_LIMIT, triage
from baton_handoff.triage.report import compared_text

JOBS = (CONTRACTS, *SIDES)
"""The jobs that report a result, by their names in CI."""

RESULTS = "ci"
"""The folder of the results, below the project's local one."""

Compared: TypeAlias = tuple[Sequence[Finding], str]
"""Findings, and a sentence for people about what was compared."""


@dataclass(frozen=True)
class Result:
    """What one job reports.

    Attributes:
        job: The name of the job.
        passed: Whether nothing of it blocks.
        text: What its log shows.
    """

    job: str
    passed: bool
    text: str


def triaged(
    project: Project,
    base: str | None,
    since: str | None = None,
    time_limit: float = TIME_LIMIT,
) -> Compared:
    """Find the sides that have to act, and keep the findings as evidence.

    Args:
        project: The project.
        base: The commit or branch to merge into.
        since: As `triage` takes it.
        time_limit: The seconds that a test, or the import of a file, may take.

    Raises:
        HandoffError: `base` or `since` can't be used.
    """
    with kept(project, "triage", base) as keep:
        answer = triage(project, base, since, time_limit)
        keep(answer.findings)
    return answer.findings, compared_text(answer.base)


def compared_contracts(project: Project, base: str | None, *, changelog: bool = False) -> Compared:
    """Compare the contracts with those of a base, and keep the findings as evidence.

    Args:
        project: The project.
        base: A commit, a branch or a wheel of contracts.
        changelog: Whether to write the differences to the changelog of the contracts.

    Raises:
        HandoffError: `base` can't be used, or the contracts can't be read.
    """
    with kept(project, "diff", base) as keep:
        try:
            comparison = compare_with_base(project, base)
        except NoBaseContractsError as error:
            keep([])
            return [], str(error)
        differences = comparison.differences
        if changelog:
            write_changelog(project, differences)
            differences = [replace(difference, recorded=True) for difference in differences]
        found = list(findings(differences))
        keep(found)
    return found, base_text(comparison.base, unchanged=not found)


def for_side(found: Sequence[Finding], side: str | None) -> list[Finding]:
    """The findings that a side has to act on, alone or with others; all without a side."""
    return [one for one in found if side in (None, one.side) or not one.side]


def judge(project: Project, base: str, output: Format | None) -> list[Result]:
    """Compare a change with its base once, and report it for each job.

    Args:
        project: The project.
        base: The commit or branch to merge into.
        output: The format of annotations, which the provider shows at the lines; None without.
    """
    with change_since(project, base) as change:
        if change and all(map(_is_exploration, change.paths)):
            text = "The change has only notebooks and texts, on which no contract depends."
            return [Result(job, True, text) for job in JOBS]
    # Triage comes first: it forks before the contracts are imported.
    failing = _caught(lambda: triaged(project, base))
    contracts = _caught(lambda: compared_contracts(project, base))
    command = f"uv run handoff contract diff --base {shlex.quote(base)}"
    results = [_result(CONTRACTS, contracts, contracts[1], command, output)]
    for side in SIDES:
        command = f"uv run handoff triage --base {shlex.quote(base)} --side {side}"
        mine = (for_side(failing[0], side), failing[1])
        results.append(_result(side, mine, f"No check fails for {side}.", command, output))
    return results


def write_results(folder: Path, results: Sequence[Result]) -> None:
    """Write for each job what its log shows, and an empty file `JOB.passed` if it passes.

    A job that finds no such file fails, so a result that is missing never passes.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for result in results:
        (folder / f"{result.job}.txt").write_text(f"{result.text}\n", encoding="utf-8")
        if result.passed:
            (folder / f"{result.job}.passed").touch()


def _is_exploration(path: str) -> bool:
    """Whether nothing that a contract or a check of it reads can be in a file."""
    place = PurePosixPath(path)
    return place.parts[0] in ("notebooks", "docs") or (
        place.suffix == ".md" and place.parts[0] != "standards"
    )


def _caught(compare: Callable[[], Compared]) -> Compared:
    """Report an error of a comparison as a finding of every job that depends on it."""
    try:
        return compare()
    except HandoffError as error:
        return [Finding("ci", str(error), True)], ""


def _result(
    job: str, compared: Compared, passed: str, command: str, output: Format | None
) -> Result:
    found, about = compared
    blocks = any(one.blocks for one in found)
    parts = [as_log_lines(render(found, "terminal", passed))]
    if found and about:
        parts.append(about)
    if blocks:
        parts.append(f"The same on your machine: git fetch && {command}")
    if found and output:
        parts.append(render(found, output, ""))
    return Result(job, not blocks, "\n\n".join(parts))
