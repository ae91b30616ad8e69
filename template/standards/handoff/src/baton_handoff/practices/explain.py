"""What one practice is, what is asked of whom, and how it stands."""

from baton_handoff.errors import HandoffError
from baton_handoff.practices.practice import STAGES
from baton_handoff.practices.status import standing_of
from baton_handoff.project import Project
from baton_handoff.sides import SIDES

DOCS = "docs/practices.md"
"""Baton's page about all of them, which has a heading for each."""

_WHEN = {
    "before": "It costs less before",
    "after": "It costs less after",
    "either": "It costs the same before and after",
}


def explained(project: Project, name: str, level: int | None = None) -> str:
    """A practice, for whoever wonders what it wants.

    Raises:
        HandoffError: There is no such practice.
    """
    standing = standing_of(project, level)
    known = {outcome.practice.name: outcome.practice for outcome in standing.outcomes}
    if name not in known:
        raise HandoffError(f"There is no practice {name}: it may be {', '.join(known)}.")
    practice = known[name]
    lines = [practice.title, "", practice.why, ""]
    for side in SIDES:
        tiers = [practice.tier(side, at) for at in (0, 1, 2)]
        several = ", ".join(f"{tier} at level {at}" for at, tier in enumerate(tiers))
        said = tiers[0] if len({*tiers}) == 1 else several
        lines.append(f"{side}: {said}")
    blocks = [
        f"{side} at {stage}"
        for stage in STAGES
        for side in SIDES
        if practice.blocks(side, standing.level, stage)
    ]
    lines += [
        f"At level {standing.level} it blocks {', '.join(blocks) or 'nobody'}.",
        f"To a data scientist it is {practice.effect}; hurdle: {practice.hurdle}.",
        f"{_WHEN[practice.cheaper]} the handoff.",
        f"More: {DOCS}#{name.replace('/', '-')}",
        "",
    ]
    for outcome in standing.outcomes:
        if outcome.practice.name == name:
            lines.append(f"{outcome.side}: {outcome.state}. {outcome.says}")
            lines += [f"    {finding.file}: {finding.message}" for finding in outcome.findings]
            if not outcome.reached:
                lines.append(f"    → {outcome.fix}")
    return "\n".join(lines)
