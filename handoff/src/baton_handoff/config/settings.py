"""What a team may set in handoff.toml: limits of the service, of promotion and of watching it."""

import dataclasses
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from baton_handoff.config.validation import Entry, entries, table_of

GATES = (
    *("environment", "load", "code", "contracts", "rows", "parity", "commit", "baselines"),
    *("champion", "subgroups", "latency", "future", "card", "sources", "practices", "approval"),
)
"""What a promotion asks of a version, by name; `model.gates` asks it, but loads slowly."""


@dataclass(frozen=True)
class ServiceSettings:
    """The service's limits, `[service]`: beyond them it refuses at once.

    Attributes:
        queue: Requests that may wait for the model; one more gets 503.
        timeout_seconds: How long a request may take, its own arrival included.
        largest_request_bytes: The longest body that is read.
        refresh_seconds: How often the registry is asked which version to serve.
        log_share: The share of requests whose rows and predictions are kept, 0 to 1.
    """

    queue: float = 64
    timeout_seconds: float = 30
    largest_request_bytes: float = 8 * 2**20
    refresh_seconds: float = 10
    log_share: float = 1


@dataclass(frozen=True)
class PromotionSettings:
    """What a version must show before it becomes champion, `[promotion]`.

    Attributes:
        tolerance: How much worse than the champion it may be, as a share of the champion's loss.
        floor: The least score in any subgroup that has enough rows.
        latency_ms: How long the service may take for one row, 95 of 100 times.
    """

    tolerance: float = 0.01
    floor: float = 0
    latency_ms: float = 500


@dataclass(frozen=True)
class MonitorSettings:
    """What is worth an alert, `[monitor]`: shares, 0.1 for example is a tenth of all rows.

    Attributes:
        effect: The least distance between then and now, 0 to 1, that anybody has to look at.
        unusual: How many times farther off than the farthest period that the model has learnt from.
        significance: How often a change that is none may be taken for one, all columns together.
        missing: By how much the share of missing values in a column may grow.
        refused: The share of rows that their contract may refuse.
        tolerance: How much worse than in its evaluation a model may be, as a share of its loss.
        least_rows: With fewer rows nothing is said.
    """

    effect: float = 0.1
    unusual: float = 1.25
    significance: float = 0.01
    missing: float = 0.01
    refused: float = 0.01
    tolerance: float = 0.1
    least_rows: float = 200


@dataclass(frozen=True)
class PolicyException:
    """An exception: something that is not met and accepted, `[[exceptions]]`.

    Attributes:
        gate: The gate that it is about, empty where it is about a practice; `sources/NAME` is the
            gate `sources`, for one of them.
        reason: Why it is accepted.
        owner: Who answers for it.
        expires: The last day on which it counts.
        practice: The practice that it is about, empty where it is about a gate.
    """

    gate: str
    reason: str
    owner: str
    expires: date
    practice: str = ""

    def counts(self, today: date) -> bool:
        """Whether it has not expired."""
        return today <= self.expires


_Settings = TypeVar("_Settings", ServiceSettings, PromotionSettings, MonitorSettings)


def numbers(file: Path, table: str, kind: type[_Settings], stated: object) -> _Settings:
    """Read a table of numbers of a handoff.toml.

    Raises:
        HandoffError: It says something unknown, something else than a number from 0 on, or a share
            above 1.
    """
    entry = table_of(file, table, stated)
    entry.only([field.name for field in dataclasses.fields(kind)], ())
    values = {name: entry.number_from_0(name) for name in entry.values}
    if values.get("log_share", 0) > 1:
        entry.wrong("log_share", "`log_share` is a share of all requests, so it is 1 at most")
    return kind(**values)


def exceptions(file: Path, stated: object) -> tuple[PolicyException, ...]:
    """Read the exceptions of a handoff.toml.

    Raises:
        HandoffError: One of them does not say everything, or something else.
    """
    return tuple(map(_accepted, entries(file, "exceptions", stated)))


def _accepted(entry: Entry) -> PolicyException:
    about = "practice" if "practice" in entry.values else "gate"
    keys = (about, "reason", "owner", "expires")
    entry.only(keys, keys)
    gate, practice = (entry.text(key) if key == about else "" for key in ("gate", "practice"))
    if about == "gate" and not gate.startswith("sources/"):
        entry.choice("gate", GATES)
    return PolicyException(
        gate, entry.text("reason"), entry.text("owner"), entry.day("expires"), practice
    )
