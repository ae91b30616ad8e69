"""A practice: one line of the standards, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

Tier: TypeAlias = Literal["must", "should", "would-like", "not-needed"]
Stage: TypeAlias = Literal["push", "handoff", "promotion"]
Effect: TypeAlias = Literal["counterproductive", "neutral", "productive"]
Hurdle: TypeAlias = Literal["cost", "knowledge", "incentive", "none"]
Cheaper: TypeAlias = Literal["before", "after", "either"]

TIERS: tuple[Tier, ...] = get_args(Tier)
"""How much a practice is asked for, the most first."""

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
        name: What it is called in commands and settings, `typed`; one of a team's own has
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
        baseline: Whether a baseline may record its findings: each is one fault in one file, and
            none is a break of a contract.
        enforced: Whether the team lets it block ahead of the level.
        brought: Whether adopting Baton brings it, with nothing else for anybody to do.
    """

    name: str
    section: str
    title: str
    why: str
    tiers: Mapping[str, Tier | tuple[Tier, Tier, Tier]]
    stage: Stage
    effect: Effect
    hurdle: Hurdle
    cheaper: Cheaper
    check: str
    fix: str
    baseline: bool = False
    enforced: bool = False
    brought: bool = False

    def tier(self, side: str, level: int) -> Tier:
        """How much it is asked of a side at a level."""
        stated = self.tiers.get(side, "not-needed")
        return stated if isinstance(stated, str) else stated[level]

    def stricter(self, other: "Practice") -> "Practice":
        """This practice, asked for as much and as soon as another state of it asks."""
        return replace(
            self,
            tiers={side: self._tiers(other, side) for side in {**self.tiers, **other.tiers}},
            stage=min(self.stage, other.stage, key=STAGES.index),
            baseline=self.baseline and other.baseline,
            enforced=self.enforced or other.enforced,
        )

    def _tiers(self, other: "Practice", side: str) -> tuple[Tier, Tier, Tier]:
        """Of each level the tier that asks for more."""
        first, second, third = (
            min(self.tier(side, level), other.tier(side, level), key=TIERS.index)
            for level in (0, 1, 2)
        )
        return first, second, third

    def blocks(self, side: str, level: int, stage: Stage) -> bool:
        """Whether it blocks a side at a stage where it is not met."""
        if STAGES.index(stage) < STAGES.index(self.stage):
            return False
        tier = self.tier(side, level)
        return tier in _BLOCKS[level][stage] or (self.enforced and tier != "not-needed")
