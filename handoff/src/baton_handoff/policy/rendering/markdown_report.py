"""The status of a project as one comment on a change."""

from collections.abc import Sequence
from dataclasses import replace

from baton_handoff.policy.practices.assessment import Assessment
from baton_handoff.policy.practices.stages import Stage
from baton_handoff.policy.rendering import adoption, summary
from baton_handoff.policy.rendering.open_findings import open_findings
from baton_handoff.reporting.findings import Finding
from baton_handoff.reporting.pages import render_markdown

MARKER = "<!-- baton: handoff status -->"
"""The first line of the comment, by which the next run finds it."""

_MOST = 100
"""The number of findings of a kind that a comment lists; a provider limits its length."""


def markdown_report(assessment: Assessment, stage: Stage = "push") -> str:
    """Render the level, what blocks and the next steps; everything else is folded."""
    findings = open_findings(assessment, stage)
    blocking = [finding for finding in findings if finding.blocks]
    loosened = assessment.loosened
    others = _by_sides([one for one in findings if not one.blocks and one not in loosened])
    covered = {(one.practice.name, one.side) for one in assessment.results if one.excepted}
    accepted = sum((group[0].check, group[0].side) in covered for group in others)
    return render_markdown(
        "status.md",
        accepted=accepted,
        adoption=adoption,
        assessment=assessment,
        blocking=_by_sides(blocking),
        loosened=_by_sides(loosened),
        marker=MARKER,
        most=_MOST,
        others=others,
        practices={result.practice.name for result in assessment.results},
        summary=summary,
    )


def _by_sides(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Group findings that differ only in their side."""
    groups: dict[Finding, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(replace(finding, side=None), []).append(finding)
    return [*groups.values()]
