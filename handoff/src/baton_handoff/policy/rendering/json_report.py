"""Where a project stands, for programs; `status.schema.json` beside this says what is in it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from baton_handoff.policy.practices.assessment import Outcome, Standing
from baton_handoff.policy.practices.practice import STAGES, Stage
from baton_handoff.policy.rendering.adoption import brings, remains
from baton_handoff.policy.rendering.open_findings import open_findings
from baton_handoff.policy.rendering.summary import next_level, next_steps, practice_link, sides_of

VERSION = 1
"""Grows when something that a program may rely on goes or changes."""


def json_report(standing: Standing, stage: Stage = "push") -> dict[str, Any]:
    """Everything that the screens show.

    Args:
        standing: Where the project stands.
        stage: The stage that decides which findings block.
    """
    return {
        "version": VERSION,
        "project": standing.project,
        **_unadopted(standing),
        "base": standing.base,
        "level": standing.level,
        "earned": standing.earned(),
        "stage": stage,
        "sections": [
            {
                "name": section,
                "earned": standing.earned(section),
                "shares": {side: standing.share(section, side) for side in sides_of(standing)},
            }
            for section in standing.sections()
        ],
        "blocking": {
            **{each: _names(standing.blocking(each)) for each in STAGES},
            "next-level": _names(next_level(standing)),
        },
        "next": [
            {
                "when": step.when,
                "sides": list(step.sides),
                "fix": step.fix,
                "practices": list(dict.fromkeys(one.practice.name for one in step.outcomes)),
            }
            for step in next_steps(standing)
        ],
        "outcomes": [_outcome(outcome) for outcome in standing.outcomes],
        "findings": [
            {**asdict(finding), "evidence": list(finding.evidence)}
            for finding in open_findings(standing, stage)
        ],
    }


def _unadopted(standing: Standing) -> dict[str, Any]:
    """What is only said of a repository in which Baton is not in use."""
    known = standing.unadopted
    if known is None:
        return {}
    groups = {"brings": brings(standing), "remains": remains(standing)}
    names = {
        name: [one.name for several in found.values() for one in several]
        for name, found in groups.items()
    }
    unread = [{"file": one.file, "line": one.line, "message": one.message} for one in known.unread]
    said = {"looked-at": dict(known.looked_at), "unread": unread, "adopt": known.adopt, **names}
    return {"unadopted": said}


def _names(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    return [{"practice": outcome.practice.name, "side": outcome.side} for outcome in outcomes]


def _outcome(outcome: Outcome) -> dict[str, Any]:
    practice, accepted = outcome.practice, outcome.exception
    return {
        "practice": practice.name,
        "section": practice.section,
        "title": practice.title,
        "why": practice.why,
        "side": outcome.side,
        "tier": outcome.tier,
        "stage": practice.stage,
        "effect": practice.effect,
        "hurdle": practice.hurdle,
        "cheaper": practice.cheaper,
        "enforced": practice.enforced,
        "state": outcome.state.value,
        "reached": outcome.reached,
        "says": outcome.says,
        "fix": outcome.fix or practice.fix,
        "page": practice_link(practice),
        "recorded": len(outcome.recorded),
        "accepted": accepted
        and {
            "reason": accepted.reason,
            "owner": accepted.owner,
            "expires": accepted.expires.isoformat(),
        },
    }
