"""What is open and what is accepted, as findings: the one list behind every format."""

from collections.abc import Iterator
from dataclasses import replace

from baton_handoff.policy.practices.assessment import Outcome, Standing, State
from baton_handoff.policy.practices.practice import Stage
from baton_handoff.reporting.findings import Finding


def open_findings(standing: Standing, stage: Stage = "push") -> list[Finding]:
    """What is not met or not shown, what is accepted, and what a change leaves open and loosens.

    What blocks at the stage comes first.

    Args:
        standing: Where the project stands.
        stage: The stage that decides what blocks.
    """
    found = [
        finding for outcome in standing.outcomes for finding in _of(outcome, standing.level, stage)
    ]
    found += [*standing.left_open, *standing.loosened]
    return sorted(found, key=lambda finding: not finding.blocks)


def _of(outcome: Outcome, level: int, stage: Stage) -> Iterator[Finding]:
    practice = outcome.practice
    blocks = practice.blocks(outcome.side, level, stage)
    if outcome.excepted:
        yield Finding(
            practice.name,
            f"{practice.title}: {describe_acceptance(outcome)}",
            blocks=False,
            side=outcome.side,
        )
    elif outcome.state in (State.NOT_MET, State.NOT_SHOWN) and (
        blocks or outcome.tier != "not-needed"
    ):
        whole = Finding(
            practice.name,
            f"{practice.title}: {outcome.says}",
            blocks,
            side=outcome.side,
            fix=outcome.fix or practice.fix,
        )
        for finding in outcome.findings:
            yield replace(
                finding,
                check=practice.name,
                blocks=blocks,
                side=finding.side or outcome.side,
                fix=finding.fix or whole.fix,
            )
        if not outcome.findings:
            yield whole


def describe_acceptance(outcome: Outcome) -> str:
    """What accepts an outcome, or a part of it; empty where nothing does.

    An exception says until when, who answers for it and why, the baseline how many findings it has.
    """
    if accepted := outcome.exception:
        return (
            f"accepted until {accepted.expires.isoformat()}, {accepted.owner} answers for it:"
            f" {accepted.reason}"
        )
    if not outcome.recorded:
        return ""
    findings, files = len(outcome.recorded), len({one.file for one in outcome.recorded})
    return (
        f"accepted by the baseline: {findings} finding{'s' * (findings > 1)}"
        f" in {files} file{'s' * (files > 1)}"
    )
