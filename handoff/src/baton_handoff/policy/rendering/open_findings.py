"""What is open and what is accepted, as findings: the one list behind every format."""

from collections.abc import Iterator
from dataclasses import replace

from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.practice import Stage
from baton_handoff.reporting.findings import Finding


def open_findings(assessment: Assessment, stage: Stage = "push") -> list[Finding]:
    """What is not met or not shown, what is accepted, and what a change leaves open and loosens.

    What blocks at the stage comes first.

    Args:
        assessment: Where the project stands.
        stage: The stage that decides what blocks.
    """
    found = [
        finding for result in assessment.results for finding in _of(result, assessment.level, stage)
    ]
    found += [*assessment.change_findings, *assessment.loosened]
    return sorted(found, key=lambda finding: not finding.blocks)


def _of(result: PracticeResult, level: int, stage: Stage) -> Iterator[Finding]:
    practice = result.practice
    blocks = practice.blocks(result.side, level, stage)
    if result.excepted:
        yield Finding(
            practice.name,
            f"{practice.title}: {describe_acceptance(result)}",
            blocks=False,
            side=result.side,
        )
    elif result.state in (State.NOT_MET, State.NOT_SHOWN) and (
        blocks or result.tier != "not-needed"
    ):
        whole = Finding(
            practice.name,
            f"{practice.title}: {result.message}",
            blocks,
            side=result.side,
            fix=result.fix or practice.fix,
        )
        for finding in result.findings:
            yield replace(
                finding,
                check=practice.name,
                blocks=blocks,
                side=finding.side or result.side,
                fix=finding.fix or whole.fix,
            )
        if not result.findings:
            yield whole


def describe_acceptance(result: PracticeResult) -> str:
    """What accepts an result, or a part of it; empty where nothing does.

    An exception says until when, who answers for it and why, the baseline how many findings it has.
    """
    if accepted := result.exception:
        return (
            f"accepted until {accepted.expires.isoformat()}, {accepted.owner} answers for it:"
            f" {accepted.reason}"
        )
    if not result.recorded:
        return ""
    findings, files = len(result.recorded), len({one.file for one in result.recorded})
    return (
        f"accepted by the baseline: {findings} finding{'s' * (findings > 1)}"
        f" in {files} file{'s' * (files > 1)}"
    )
