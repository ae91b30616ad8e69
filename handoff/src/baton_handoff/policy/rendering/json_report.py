"""Where a project stands, for programs; `status.schema.json` beside this says what is in it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from baton_handoff.policy.practices.assessment import Assessment, PracticeResult
from baton_handoff.policy.practices.practice import STAGES, Stage
from baton_handoff.policy.rendering.adoption import brings, remains
from baton_handoff.policy.rendering.open_findings import open_findings
from baton_handoff.policy.rendering.summary import next_level, next_steps, practice_link, sides_of

VERSION = 1
"""Grows when something that a program may rely on goes or changes."""


def json_report(assessment: Assessment, stage: Stage = "push") -> dict[str, Any]:
    """Everything that the screens show.

    Args:
        assessment: Where the project stands.
        stage: The stage that decides which findings block.
    """
    return {
        "version": VERSION,
        "project": assessment.project,
        **_unadopted(assessment),
        "base": assessment.base,
        "level": assessment.level,
        "earned": assessment.earned(),
        "stage": stage,
        "sections": [
            {
                "name": section,
                "earned": assessment.earned(section),
                "shares": {side: assessment.share(section, side) for side in sides_of(assessment)},
            }
            for section in assessment.sections()
        ],
        "blocking": {
            **{each: _names(assessment.blocking(each)) for each in STAGES},
            "next-level": _names(next_level(assessment)),
        },
        "next": [
            {
                "when": step.when,
                "sides": list(step.sides),
                "fix": step.fix,
                "practices": list(dict.fromkeys(one.practice.name for one in step.results)),
            }
            for step in next_steps(assessment)
        ],
        "outcomes": [_result(result) for result in assessment.results],
        "findings": [
            {**asdict(finding), "evidence": list(finding.evidence)}
            for finding in open_findings(assessment, stage)
        ],
    }


def _unadopted(assessment: Assessment) -> dict[str, Any]:
    """What is only said of a repository in which Baton is not in use."""
    known = assessment.unmanaged
    if known is None:
        return {}
    groups = {"brings": brings(assessment), "remains": remains(assessment)}
    names = {
        name: [one.name for several in found.values() for one in several]
        for name, found in groups.items()
    }
    unread = [{"file": one.file, "line": one.line, "message": one.message} for one in known.unread]
    said = {"looked-at": dict(known.looked_at), "unread": unread, "adopt": known.adopt, **names}
    return {"unadopted": said}


def _names(results: Sequence[PracticeResult]) -> list[dict[str, str]]:
    return [{"practice": result.practice.name, "side": result.side} for result in results]


def _result(result: PracticeResult) -> dict[str, Any]:
    practice, accepted = result.practice, result.exception
    return {
        "practice": practice.name,
        "section": practice.section,
        "title": practice.title,
        "why": practice.why,
        "side": result.side,
        "tier": result.tier,
        "stage": practice.stage,
        "effect": practice.effect,
        "hurdle": practice.hurdle,
        "cheaper": practice.cheaper,
        "enforced": practice.enforced,
        "state": result.state.value,
        "reached": result.reached,
        "says": result.message,
        "fix": result.fix or practice.fix,
        "page": practice_link(practice),
        "recorded": len(result.recorded),
        "accepted": accepted
        and {
            "reason": accepted.reason,
            "owner": accepted.owner,
            "expires": accepted.expires.isoformat(),
        },
    }
