"""The page of the practices: what is asked of whom, and what to do where one is not met."""

from collections.abc import Sequence

from baton_handoff.config.sides import SIDES
from baton_handoff.policy.practices.practice import Practice
from baton_handoff.policy.practices.registry import STATEMENT


def practices_page(practices: Sequence[Practice]) -> str:
    """Every practice of a project under a heading of its own, as Markdown.

    Args:
        practices: Those of the standards and the team's own, in the order of the sections.
    """
    parts = ["# Practices", "Where the project stands: `uv run poe status`."]
    for section in dict.fromkeys(practice.section for practice in practices):
        parts.append(f"## {section.capitalize()}")
        parts += [_said(practice) for practice in practices if practice.section == section]
    return "\n\n".join(parts) + "\n"


def _said(practice: Practice) -> str:
    asked = [f"{side}: {_tier(practice, side)}" for side in SIDES if side in practice.tiers]
    by = "a person's statement" if practice.check == STATEMENT else "evidence"
    recorded = " A baseline can record what is open." if practice.baseline else ""
    return (
        f"### {practice.name}\n\n**{practice.title}.** {practice.why}\n\n"
        f"Asked at the {practice.stage} first, and judged by {by}. {'; '.join(asked)}."
        f"{recorded}\n\n"
        f"If it is not met: {practice.fix}."
    )


def _tier(practice: Practice, side: str) -> str:
    tiers = [practice.tier(side, level) for level in (0, 1, 2)]
    if len({*tiers}) == 1:
        return tiers[0]
    return ", ".join(f"{tier} at level {level}" for level, tier in enumerate(tiers))
