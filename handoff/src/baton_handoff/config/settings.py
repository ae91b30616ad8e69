"""The settings of `handoff.toml` and of `.copier-answers.yml`, as pydantic models."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from baton_handoff.config.sides import Axis, Side
from baton_handoff.config.validation import StrictModel, Text
from baton_handoff.core.suggestions import similar_name

GATES = (
    *("environment", "load", "code", "contracts", "rows", "parity", "commit", "baselines"),
    *("champion", "subgroups", "latency", "future", "card", "sources", "practices", "approval"),
)
"""The gates for which exceptions are possible; `policy.promotion.gates` implements them, but loads
slowly."""

_Number = Annotated[float, Field(ge=0)]


def _known_gate(gate: str) -> str:
    if gate not in GATES and not gate.startswith("sources/"):
        near = similar_name(gate, GATES)
        remedy = f"did you mean `{near}`?" if near else f"use {', '.join(GATES)} or sources/NAME"
        raise PydanticCustomError("unknown_gate", "{remedy}", {"remedy": remedy})
    return gate


_Gate = Annotated[
    str,
    AfterValidator(_known_gate),
    WithJsonSchema({"anyOf": [{"enum": [*GATES]}, {"type": "string", "pattern": "^sources/"}]}),
]


class ServiceSettings(StrictModel):
    """`[service]`: which version the service loads, and its limits."""

    alias: Text | None = None
    """The registry alias that the service loads; the variable HANDOFF_ALIAS overrides it."""

    queue: _Number = 64
    """How many requests may wait for the model; the service refuses more with status 503."""

    timeout_seconds: _Number = 30
    """The longest time for one request, including the time in which its body arrives."""

    largest_request_bytes: _Number = 8 * 2**20
    """The size of the largest request body that the service reads."""

    largest_request_rows: _Number = 10_000
    """The number of rows that one request may have."""

    refresh_seconds: _Number = 10
    """The time between two queries to the registry for the version to load."""

    closed: list[Literal["docs", "metrics", "version"]] = []
    """The pages that the service does not show: they answer 404."""

    internal_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """A second port, on which alone the pages are shown; HANDOFF_INTERNAL_PORT overrides it."""

    log_share: Annotated[float, Field(ge=0, le=1)] = 1
    """The share of requests whose rows and predictions are logged, 0 to 1."""

    log_days: _Number | None = None
    """How many days the prediction log is kept; without it, it is not deleted for its age."""

    log_bytes: _Number | None = None
    """About how large the prediction log may become; without it, it is not deleted for its size."""


ModelFormat = Literal["pickle", "skops"]


class RegistrySettings(StrictModel):
    """`[registry]`: in which format models are registered, and which of them may be loaded."""

    format: ModelFormat = "pickle"
    """The format of the model's file; with `skops`, only models in this format are loaded."""

    trusted_types: list[Text] = []
    """Types of other packages that a model in the format `skops` may contain."""

    signers: list[Text] = []
    """The public SSH keys (Ed25519) of which one must have signed a version; none: unsigned."""


class PromotionSettings(StrictModel):
    """`[promotion]`: the limits that a version must meet to become champion."""

    tolerance: _Number = 0.01
    """How much worse than the champion a version may be, as a share of the champion's loss."""

    floor: _Number = 0
    """The lowest score that is allowed in any subgroup with enough rows."""

    latency_ms: _Number = 500
    """The longest time for one row in milliseconds, at the 95th percentile."""


class MonitorSettings(StrictModel):
    """`[monitor]`: the thresholds of alerts; shares of rows are 0 to 1."""

    effect: _Number = 0.1
    """The smallest distance between two distributions that is reported, 0 to 1."""

    unusual: _Number = 1.25
    """How far off a period must be, as a multiple of the farthest training period."""

    significance: _Number = 0.01
    """The accepted probability of a false alarm, for all columns together."""

    missing: _Number = 0.01
    """How much the share of missing values in a column may grow."""

    refused: _Number = 0.01
    """The share of rows that their contract may refuse."""

    tolerance: _Number = 0.1
    """How much worse than in its evaluation a model may be, as a share of its loss."""

    least_rows: _Number = 200
    """The number of rows that an assessment needs."""


class PolicyException(StrictModel):
    """`[[exceptions]]`: a gate or a practice that is not met and accepted until a date."""

    gate: _Gate = ""
    """A gate of the promotion; `sources/NAME` is the gate `sources` for one source."""

    practice: Text = ""
    """The name of a practice."""

    reason: Text
    """Why it is accepted."""

    owner: Text
    """The person or team that is responsible for the exception."""

    expires: date
    """The last day on which the exception applies."""

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if bool(self.gate) == bool(self.practice):
            raise PydanticCustomError("subject", "use either `gate` or `practice`")
        return self

    @property
    def subject(self) -> tuple[str, str]:
        """The gate and the practice, by which exceptions are compared."""
        return self.gate, self.practice

    def counts(self, today: date) -> bool:
        """Return True until the exception expires."""
        return today <= self.expires


class UpdateSettings(StrictModel):
    """What an update of the template does not touch."""

    leave: list[str] = []
    """Files and folders of the template that the project has itself, or does without."""


class HandoffToml(StrictModel):
    """The settings of a project for the command `handoff`."""

    interface: Literal[1]
    """The version of this file's format."""

    package: Text
    """The import name of the project's package."""

    model: Text
    """The name under which the project's model is registered."""

    service: ServiceSettings = ServiceSettings()
    registry: RegistrySettings = RegistrySettings()
    promotion: PromotionSettings = PromotionSettings()
    monitor: MonitorSettings = MonitorSettings()
    update: UpdateSettings = UpdateSettings()

    people: dict[Side, list[str]] = {}
    """The e-mail addresses with which the people of each side commit."""

    answerable: dict[str, Axis] = {}
    """Paths that belong to another side than their folder's."""

    exceptions: list[PolicyException] = []

    # The practices are validated by `policy.practices`, which knows those of the standards.
    practices: list[dict[str, Any]] = []
    statements: list[dict[str, Any]] = []
    enforce: dict[str, Any] = {}


class Answers(BaseModel):
    """The answers of `.copier-answers.yml` that matter at run time."""

    model_config = ConfigDict(coerce_numbers_to_str=True, frozen=True)

    # Copier writes a number or a string, depending on how the question was answered.
    level: Annotated[Literal["0", "1", "2"], BeforeValidator(str)]
    project_name: str = ""
    ci: str = "github"
    cloud: str = "none"
    data_science_team: str = ""
    ml_engineering_team: str = ""
