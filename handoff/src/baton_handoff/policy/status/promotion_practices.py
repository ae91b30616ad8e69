"""The practices that a promotion requires, for the gate `practices`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from baton_handoff.config.project import Project
from baton_handoff.policy.practices.assessment import PracticeResult, State
from baton_handoff.policy.practices.practice import STATEMENT
from baton_handoff.policy.status.status import assess

_OTHER_GATES = frozenset(
    {"candidate_traceable", "compared_with_baselines", "sources_described", "sources_official"}
)
"""Checks that the gates `commit`, `baselines` and `sources` repeat for the version itself."""

_PRODUCTION = frozenset({"models_watched", "data_watched"})
"""Checks of the version in production: their findings may be the reason to replace it."""


@dataclass(frozen=True)
class PromotionRequirements:
    """The practices that a promotion requires and that are not met.

    Attributes:
        open: The results that have to be met first.
        accepted: The results that an exception or the baseline accepts.
        binding: True if an open one blocks at every level, because the team enforces it.
    """

    open: Sequence[PracticeResult] = ()
    accepted: Sequence[PracticeResult] = ()
    binding: bool = False


def promotion_requirements(project: Project, version: int) -> PromotionRequirements:
    """The practices that the promotion of a version requires, by the evidence on this machine.

    At level 0, where they are advice, those of level 1.

    Raises:
        HandoffError: handoff.toml can't be used.
    """
    assessment, level = assess(project, version=version), max(project.level, 1)
    results = [
        result
        for result in assessment.results
        if result.practice.enforced or result.practice.check not in _OTHER_GATES | _PRODUCTION
    ]
    required = replace(assessment, results=results)
    return PromotionRequirements(
        sorted(required.blocking("promotion", level), key=_order),
        [
            result
            for result in results
            if result.excepted and result.practice.blocks(result.side, level, "promotion")
        ],
        bool(required.blocking("promotion")),
    )


def _order(result: PracticeResult) -> tuple[bool, bool]:
    """Enforced practices first; commands after edits, which would make their evidence stale."""
    command = result.state is State.NOT_SHOWN and result.practice.check != STATEMENT
    return not result.practice.enforced, command
