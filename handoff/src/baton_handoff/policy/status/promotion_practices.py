"""What the practices of its stage still ask of a promotion, for the gate of that name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from baton_handoff.config.project import Project
from baton_handoff.policy.practices.assessment import Outcome, State
from baton_handoff.policy.practices.registry import STATEMENT
from baton_handoff.policy.status.status import standing_of

_OF_OTHER_GATES = frozenset(
    {"candidate_traceable", "compared_with_baselines", "sources_described", "sources_official"}
)
"""Checks whose question other gates ask of the version itself: `commit`, `baselines`, `sources`."""

_OF_PRODUCTION = frozenset({"models_watched", "data_watched"})
"""Checks that look at the version in production: what they find may be why it is replaced."""


@dataclass(frozen=True)
class Asked:
    """What the practices ask of a promotion.

    Attributes:
        open: What is open, and has to be done first.
        accepted: What is open, and accepted by an exception or the baseline.
        binding: Whether something is open that the team lets block at every level.
    """

    open: Sequence[Outcome] = ()
    accepted: Sequence[Outcome] = ()
    binding: bool = False


def asked_of(project: Project, version: int) -> Asked:
    """What the practices ask of the promotion of a version, by the evidence that there is.

    At level 0, where it is advice, it is what level 1 asks.

    Args:
        project: The project as it judges the promotion.
        version: The version's number.

    Raises:
        HandoffError: handoff.toml can't be used.
    """
    standing, level = standing_of(project, version=version), max(project.level, 1)
    outcomes = [outcome for outcome in standing.outcomes if _is_asked(outcome)]
    of_them = replace(standing, outcomes=outcomes)
    return Asked(
        sorted(of_them.blocking("promotion", level), key=_turn),
        [
            outcome
            for outcome in outcomes
            if outcome.excepted and outcome.practice.blocks(outcome.side, level, "promotion")
        ],
        bool(of_them.blocking("promotion")),
    )


def _turn(outcome: Outcome) -> tuple[bool, bool]:
    """When its turn is: what blocks at every level first; what is run after what is written."""
    run = outcome.state is State.NOT_SHOWN and outcome.practice.check != STATEMENT
    return not outcome.practice.enforced, run


def _is_asked(outcome: Outcome) -> bool:
    """Whether a practice is the gate's; one that the team lets block in any case always is."""
    elsewhere = outcome.practice.check in _OF_OTHER_GATES | _OF_PRODUCTION
    return outcome.practice.enforced or not elsewhere
