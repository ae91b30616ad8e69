"""What is open and what is accepted, as findings: every format renders this list."""

from collections.abc import Iterator
from dataclasses import replace

from baton_handoff.core.numbers import plural
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.stages import Stage
from baton_handoff.reporting.findings import Finding


def open_findings(assessment: Assessment, stage: Stage = "push") -> list[Finding]:
    """Return the findings of an assessment; those that block at the stage come first.

    These are practices that are not met or not shown, what is accepted, the findings about a
    change, and the drafted rules of contracts.
    """
    found = [
        finding
        for result in assessment.results
        for finding in _findings(result, assessment.level, stage)
    ]
    found += [*assessment.change_findings, *assessment.loosened, *assessment.drafts]
    return sorted(found, key=lambda finding: not finding.blocks)


def _findings(result: PracticeResult, level: int, stage: Stage) -> Iterator[Finding]:
    practice = result.practice
    whole = Finding(
        practice.name,
        f"{practice.title}: {describe_acceptance(result) if result.excepted else result.message}",
        blocks=not result.excepted and practice.blocks(result.side, level, stage),
        side=result.side,
        fix="" if result.excepted else result.remedy,
    )
    if result.excepted:
        yield whole
    elif result.state in (State.NOT_MET, State.NOT_SHOWN) and (
        whole.blocks or result.tier != "not-needed"
    ):
        for finding in result.findings:
            yield replace(
                finding,
                check=practice.name,
                blocks=whole.blocks,
                side=finding.side or result.side,
                fix=finding.fix or whole.fix,
            )
        if not result.findings:
            yield whole


def describe_acceptance(result: PracticeResult) -> str:
    """Describe the exception or the baseline that accepts a result; empty if none does."""
    if accepted := result.exception:
        return (
            f"accepted until {accepted.expires.isoformat()} by {accepted.owner}: {accepted.reason}"
        )
    if not result.recorded:
        return ""
    findings, files = len(result.recorded), len({one.file for one in result.recorded})
    return f"accepted by the baseline: {plural(findings, 'finding')} in {plural(files, 'file')}"
