"""What the practices of its stage still ask of a promotion, for the gate of that name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from baton_handoff.config.project import Project
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.registry import STATEMENT
from baton_handoff.policy.status.status import assess

_OF_OTHER_GATES = frozenset(
    {"candidate_traceable", "compared_with_baselines", "sources_described", "sources_official"}
)
"""Checks whose question other gates ask of the version itself: `commit`, `baselines`, `sources`."""

_OF_PRODUCTION = frozenset({"models_watched", "data_watched"})
"""Checks that look at the version in production: what they find may be why it is replaced."""


@dataclass(frozen=True)
class PromotionRequirements:
    """What the practices ask of a promotion.

    Attributes:
        open: What is open, and has to be done first.
        accepted: What is open, and accepted by an exception or the baseline.
        binding: Whether something is open that the team lets block at every level.
    """

    open: Sequence[PracticeResult] = ()
    accepted: Sequence[PracticeResult] = ()
    binding: bool = False


def promotion_requirements(project: Project, version: int) -> PromotionRequirements:
    """What the practices ask of the promotion of a version, by the evidence that there is.

    At level 0, where it is advice, it is what level 1 asks.

    Args:
        project: The project as it judges the promotion.
        version: The version's number.

    Raises:
        HandoffError: handoff.toml can't be used.
    """
    assessment, level = assess(project, version=version), max(project.level, 1)
    results = [result for result in assessment.results if _is_asked(result)]
    of_them = replace(assessment, results=results)
    return PromotionRequirements(
        sorted(of_them.blocking("promotion", level), key=_turn),
        [
            result
            for result in results
            if result.excepted and result.practice.blocks(result.side, level, "promotion")
        ],
        bool(of_them.blocking("promotion")),
    )


def _turn(result: PracticeResult) -> tuple[bool, bool]:
    """When its turn is: what blocks at every level first; what is run after what is written."""
    run = result.state is State.NOT_SHOWN and result.practice.check != STATEMENT
    return not result.practice.enforced, run


def _is_asked(result: PracticeResult) -> bool:
    """Whether a practice is the gate's; one that the team lets block in any case always is."""
    elsewhere = result.practice.check in _OF_OTHER_GATES | _OF_PRODUCTION
    return result.practice.enforced or not elsewhere
