"""The status of a project as data; `status.schema.json` is generated from these models.

`GOLDEN=write pytest tests/policy/test_rendering.py` writes that schema.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field

from baton_handoff.policy.practices.assessment import Assessment, State
from baton_handoff.policy.practices.practice import Cheaper, Effect, Hurdle, Tier
from baton_handoff.policy.practices.stages import STAGES, Stage
from baton_handoff.policy.rendering import adoption
from baton_handoff.policy.rendering.open_findings import open_findings
from baton_handoff.policy.rendering.summary import next_level, next_steps, practice_link, sides_of
from baton_handoff.reporting.findings import Finding

_Level = Literal[0, 1, 2]
_Side = Annotated[str, Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(
        alias_generator=lambda name: name.replace("_", "-"),
        extra="forbid",
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
        validate_by_name=True,
    )


class _UnreadFile(_Model):
    file: str
    line: int | None
    message: str


class _Gap(_Model):
    message: str
    place: str = Field(description="The file, with the line or the cell.")
    fix: str
    draft_path: str = Field(description="The file that adopting Baton would begin with, or empty.")
    draft: str


class _Adoption(_Model):
    """Only of a repository that does not use Baton: what was read, and what adopting changes."""

    looked_at: dict[str, Annotated[int, Field(ge=0)]]
    unread: list[_UnreadFile] = Field(description="The files with code that can't be read.")
    adopt: str = Field(description="The command that adopts Baton.")
    readable: list[str] = Field(description="The practices of which reading can show something.")
    border: dict[str, list[str]] = Field(
        description="Where a model is trained, stored and served; empty if it was not recognised."
    )
    gaps: list[_Gap] = Field(description="The gaps that are likeliest to break a handoff.")
    brings: list[str] = Field(description="The practices that adopting alone meets.")
    remains: list[str] = Field(description="The practices that stay the work of people.")


class _Template(_Model):
    """Only if it is known: the version of the template."""

    version: str
    since: date | None = Field(description="The day on which it came; null before its commit.")


class _Section(_Model):
    name: str
    earned: _Level
    shares: dict[str, Annotated[float, Field(ge=0, le=1)] | None] = Field(
        description="How much each side has reached; null if nothing is asked of it."
    )


def _of_practice(name: str) -> Any:
    return Field(validation_alias=AliasPath("practice", name))


class _PracticeOfSide(_Model):
    practice: str = _of_practice("name")
    side: _Side


class _Blocking(_Model):
    push: list[_PracticeOfSide]
    handoff: list[_PracticeOfSide]
    promotion: list[_PracticeOfSide]
    next_level: list[_PracticeOfSide] = Field(description="What blocks only at the next level.")


class _Step(_Model):
    when: str
    sides: list[_Side] = Field(min_length=1)
    fix: str
    practices: list[str] = Field(min_length=1)


class _Way(_Model):
    size: str
    steps: list[str] = Field(min_length=1)


class _Exception(_Model):
    reason: str
    owner: str
    expires: date


class _Result(_Model):
    practice: str = _of_practice("name")
    section: str = _of_practice("section")
    title: str = _of_practice("title")
    why: str = _of_practice("why")
    side: _Side
    tier: Tier
    stage: Stage = _of_practice("stage")
    effect: Effect = _of_practice("effect")
    hurdle: Hurdle = _of_practice("hurdle")
    cheaper: Cheaper = _of_practice("cheaper")
    enforced: bool = _of_practice("enforced")
    state: State
    reached: bool
    says: str = Field(validation_alias="message")
    fix: str = Field(validation_alias="remedy")
    page: Annotated[str, BeforeValidator(practice_link)] = Field(validation_alias="practice")
    recorded: Annotated[int, BeforeValidator(len)] = Field(
        ge=0, description="The number of findings that the baseline accepts."
    )
    accepted: _Exception | None = Field(validation_alias="exception")


class Status(_Model):
    """The status of a project: handoff status --format json."""

    version: Literal[1] = 1  # Grows when something that a program may rely on goes or changes.
    project: str
    unadopted: _Adoption | None = Field(exclude_if=lambda value: value is None)
    template: _Template | None = Field(exclude_if=lambda value: value is None)
    base: str = Field(description="The base of a comparison, empty without one.")
    level: _Level
    earned: _Level
    stage: Stage
    sections: list[_Section]
    blocking: _Blocking
    next: list[_Step] = Field(max_length=3)
    way: _Way | None = Field(
        description="The way to a champion; null if the candidate is one, or nothing can tell."
    )
    outcomes: list[_Result]
    findings: list[Finding]


def json_report(assessment: Assessment, stage: Stage = "push") -> dict[str, Any]:
    """Return everything that the other reports contain, as plain data."""
    sides = sides_of(assessment)
    status = Status.model_validate(
        {
            "project": assessment.project,
            "unadopted": _adoption(assessment),
            "template": assessment.template,
            "base": assessment.base,
            "level": assessment.level,
            "earned": assessment.earned(),
            "stage": stage,
            "sections": [
                {
                    "name": section,
                    "earned": assessment.earned(section),
                    "shares": {side: assessment.share(section, side) for side in sides},
                }
                for section in assessment.sections()
            ],
            "blocking": {
                **{each: assessment.blocking(each) for each in STAGES},
                "next-level": next_level(assessment),
            },
            "next": next_steps(assessment),
            "way": assessment.way,
            "outcomes": assessment.results,
            "findings": open_findings(assessment, stage),
        }
    )
    return status.model_dump(mode="json", by_alias=True)


def _adoption(assessment: Assessment) -> dict[str, Any] | None:
    if assessment.unmanaged is None:
        return None
    brings, remains = (
        [practice.name for group in groups.values() for practice in group]
        for _, groups in adoption.both(assessment)
    )
    known = {name: value for name, value in vars(assessment.unmanaged).items() if name != "home"}
    return {**known, "brings": brings, "remains": remains}
