"""A practice: one line of the standards, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Tier: TypeAlias = Literal["must", "should", "would-like", "not-needed"]
Stage: TypeAlias = Literal["push", "handoff", "promotion"]

STAGES: tuple[Stage, ...] = ("push", "handoff", "promotion")
"""When practices are looked at: a push, a version that becomes candidate, one that goes live."""

_BLOCKS: Mapping[int, Mapping[Stage, frozenset[Tier]]] = {
    0: {"push": frozenset(), "handoff": frozenset(), "promotion": frozenset()},
    1: {
        "push": frozenset(),
        "handoff": frozenset({"must"}),
        "promotion": frozenset({"must"}),
    },
    2: {
        "push": frozenset({"must"}),
        "handoff": frozenset({"must", "should"}),
        "promotion": frozenset({"must", "should"}),
    },
}
"""Which tiers block, by level and stage; breaks of contracts do from level 1 on, by themselves."""


@dataclass(frozen=True)
class Practice:
    """One line of the standards.

    Attributes:
        name: What it is called in commands and settings, `types-checked`; one of a team's own has
            the team's name before it, `acme/pairing`.
        section: The part of the process that it belongs to, one of those that practices.toml lists.
        title: What is practised, in a few words.
        why: What it is good for, one sentence.
        tiers: How much it is asked of each side; by level where that differs.
        stage: The first stage at which it can be asked for.
        effect: What it does to a data scientist's work.
        hurdle: What keeps people from it.
        cheaper: Whether it costs less before the handoff or after it.
        check: The name of the function that looks, or a statement that only a person can make.
        fix: What to type or write where it is not met, one sentence.
        enforced: Whether the team lets it block ahead of the level.
        brought: Whether adopting Baton brings it, with nothing else for anybody to do.
    """

    name: str
    section: str
    title: str
    why: str
    tiers: Mapping[str, Tier | tuple[Tier, Tier, Tier]]
    stage: Stage
    effect: Literal["counterproductive", "neutral", "productive"]
    hurdle: Literal["cost", "knowledge", "incentive", "none"]
    cheaper: Literal["before", "after", "either"]
    check: str
    fix: str
    enforced: bool = False
    brought: bool = False

    def tier(self, side: str, level: int) -> Tier:
        """How much it is asked of a side at a level."""
        stated = self.tiers.get(side, "not-needed")
        return stated if isinstance(stated, str) else stated[level]

    def blocks(self, side: str, level: int, stage: Stage) -> bool:
        """Whether it blocks a side at a stage where it is not met."""
        if STAGES.index(stage) < STAGES.index(self.stage):
            return False
        tier = self.tier(side, level)
        return tier in _BLOCKS[level][stage] or (self.enforced and tier != "not-needed")
