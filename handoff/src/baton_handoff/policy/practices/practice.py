"""Practices: the models of what practices.toml and handoff.toml state about them."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias, cast, get_args

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from baton_handoff.config.sides import DATA_SCIENCE, ML_ENGINEERING, Side
from baton_handoff.config.validation import StrictModel, Text
from baton_handoff.policy.practices.stages import STAGES, Stage

Tier: TypeAlias = Literal["must", "should", "would-like", "not-needed"]
Effect: TypeAlias = Literal["counterproductive", "neutral", "productive"]
Hurdle: TypeAlias = Literal["cost", "knowledge", "incentive", "none"]
Cheaper: TypeAlias = Literal["before", "after", "either"]
Role: TypeAlias = Literal["data-scientist", "ml-engineer"]

TIERS: tuple[Tier, ...] = get_args(Tier)
"""How strongly a practice is required, the strongest first."""

ROLES: Mapping[str, str] = {"data-scientist": DATA_SCIENCE, "ml-engineer": ML_ENGINEERING}
"""The side of each role."""

STATEMENT = "statement"
"""The check of a practice that only a person can judge."""

OWN_SECTION = "own"
"""The section of a team's own practices that name none."""

_BLOCKING_TIERS: Mapping[tuple[int, Stage], tuple[Tier, ...]] = {
    (1, "handoff"): ("must",),
    (1, "promotion"): ("must",),
    (2, "push"): ("must",),
    (2, "handoff"): ("must", "should"),
    (2, "promotion"): ("must", "should"),
}
"""The tiers that block, by level and stage. Breaks of contracts block from level 1 on."""

_UNRECORDED_SECTIONS = ("contracts", "tests")
"""Sections whose practices find breaks of contracts, which no baseline may record."""


def _by_level(value: Any) -> list[Tier]:
    tiers = [*value] if isinstance(value, list | tuple) else [value] * 3
    if len(tiers) != 3 or any(tier not in TIERS for tier in tiers):
        remedy = "use one of {tiers}, or a list of three, one a level"
        raise PydanticCustomError("tier", remedy, {"tiers": ", ".join(TIERS)})
    return tiers


_TIER = {"enum": [*TIERS]}
_THREE_TIERS = {"type": "array", "items": _TIER, "minItems": 3, "maxItems": 3}
_ByLevel = Annotated[
    list[Tier], PlainValidator(_by_level), WithJsonSchema({"anyOf": [_TIER, _THREE_TIERS]})
]
Tiers: TypeAlias = Annotated[dict[Side, _ByLevel], Field(min_length=1)]
"""The tier for each side and level; in a file one tier applies to all levels."""


class StatedPractice(StrictModel):
    """A practice as a file states it."""

    name: Text
    """The name in commands and settings; a team's own has a slash in it, `acme/pairing`."""

    section: Text = OWN_SECTION
    """The part of the process that it belongs to."""

    title: Text
    """What is practised, in a few words."""

    why: Text
    """What it is good for, one sentence."""

    tiers: Tiers
    """How strongly it is required of each side; a list of three if that differs by level."""

    stage: Stage = "handoff"
    """The first stage at which it can be required."""

    effect: Effect = "neutral"
    """Its effect on a data scientist's work."""

    hurdle: Hurdle = "none"
    """What keeps people from it."""

    cheaper: Cheaper = "either"
    """Whether it costs less before the handoff or after it."""

    check: Text
    """A function of the standards, `statement`, a command, or `module:function`."""

    fix: Text
    """What to do if it is not met, one sentence."""

    baseline: bool = False
    """Whether a baseline may record its findings; never in the sections contracts and tests."""

    @field_validator("baseline")
    @classmethod
    def _recordable(cls, baseline: bool, info: ValidationInfo) -> bool:
        if baseline and info.data.get("section") in _UNRECORDED_SECTIONS:
            remedy = "use false in the sections {sections}"
            sections = {"sections": " and ".join(_UNRECORDED_SECTIONS)}
            raise PydanticCustomError("unrecorded_section", remedy, sections)
        return baseline


class OwnPractice(StatedPractice):
    """A team's own practice, one of `[[practices]]` in handoff.toml."""

    name: Annotated[str, Field(pattern="/")]
    """The name in commands and settings, with a slash in it, `acme/pairing`."""


class TightenedPractice(StrictModel):
    """A practice of the standards of which a team requires more, one of `[[practices]]`."""

    name: Annotated[str, Field(min_length=1, pattern="^[^/]*$")]
    """The name of a practice of the standards."""

    tiers: Tiers
    """The stricter tiers."""


class Enforce(StrictModel):
    """`[enforce]`: practices that block at every level."""

    practices: list[Text] = []


class Statement(StrictModel):
    """A person's statement about a practice that a check can't see, one of `[[statements]]`."""

    practice: Text
    """The practice."""

    by: Role
    """The role of the person."""

    text: Text = Field(alias="says")
    """The statement."""

    day: date = Field(alias="date")
    """The day of the statement."""

    expires: date
    """The last day on which it counts."""

    @field_validator("expires")
    @classmethod
    def _later(cls, expires: date, info: ValidationInfo) -> date:
        if info.data.get("day", expires) > expires:
            raise PydanticCustomError("never_counts", "use a day that is not before `date`")
        return expires

    @property
    def side(self) -> str:
        """The side of the role."""
        return ROLES[self.by]

    @property
    def subject(self) -> tuple[str, str]:
        """The practice and the role, by which statements are compared."""
        return self.practice, self.by

    def counts(self, today: date) -> bool:
        """True from its day until it expires."""
        return self.day <= today <= self.expires


class Practice(StatedPractice):
    """A practice of the standards, or any practice as it judges a project."""

    brought: bool = False
    """Whether a project has it as soon as it adopts Baton; only the standards state it."""

    stated: bool = False
    """Whether a person's statement counts if the check does not find it met; only the standards
    state it."""

    enforced: bool = False
    """Whether the team lets it block at every level."""

    @property
    def takes_statements(self) -> bool:
        """True if a person's statement about it counts."""
        return self.stated or self.check == STATEMENT

    def tier(self, side: str, level: int) -> Tier:
        """How strongly it is required of a side at a level."""
        tiers = cast("Mapping[str, list[Tier]]", self.tiers)
        return tiers[side][level] if side in tiers else "not-needed"

    def stricter(self, other: "Practice") -> "Practice":
        """This practice, required as strongly and as early as either of two states of it."""
        tiers = {
            side: [
                min(self.tier(side, level), other.tier(side, level), key=TIERS.index)
                for level in (0, 1, 2)
            ]
            for side in {**self.tiers, **other.tiers}
        }
        return self.model_copy(
            update={
                "tiers": tiers,
                "stage": min(self.stage, other.stage, key=STAGES.index),
                "baseline": self.baseline and other.baseline,
                "enforced": self.enforced or other.enforced,
            }
        )

    def blocks(self, side: str, level: int, stage: Stage) -> bool:
        """True if it blocks a side at a stage when it is not met."""
        if STAGES.index(stage) < STAGES.index(self.stage):
            return False
        tier = self.tier(side, level)
        return tier in _BLOCKING_TIERS.get((level, stage), ()) or (
            self.enforced and tier != "not-needed"
        )
