"""Changes of a contract, as data. `compatibility` finds them, `sentences` renders them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias, get_args

Role: TypeAlias = Literal["producer", "consumer"]
Bump: TypeAlias = Literal["major", "minor", "none"]


class Direction(StrEnum):
    """The effect of a change on the set of accepted tables."""

    TIGHTENS = "tightens"
    LOOSENS = "loosens"
    BOTH = "tightens and loosens"
    UNKNOWN = "unknown"
    COMPATIBLE = "compatible"

    @property
    def breaks(self) -> tuple[Role, ...]:
        """The roles that a change in this direction breaks."""
        match self:
            case Direction.COMPATIBLE:
                return ()
            case Direction.TIGHTENS:
                return ("producer",)
            case Direction.LOOSENS:
                return ("consumer",)
            case _:
                return ("producer", "consumer")


class ChangeKind(StrEnum):
    """What a change is about."""

    CONTRACT_ADDED = "contract-added"
    CONTRACT_REMOVED = "contract-removed"
    UNEXPORTED = "unexported"
    METADATA = "metadata"
    ENGINE = "dataframe-engine"
    INDEX = "index"
    COLUMN_ADDED = "column-added"
    COLUMN_REMOVED = "column-removed"
    COLUMN_RENAMED = "column-renamed"
    TYPE = "type"
    NULLABLE = "nullable"
    REQUIRED = "required"
    UNIQUE = "unique"
    COERCE = "coerce"
    STRICT = "strict"
    ORDER = "order"
    KEY = "key"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    MIN_LENGTH = "minimum-length"
    MAX_LENGTH = "maximum-length"
    FORBIDDEN = "forbidden-values"
    CATEGORIES = "categories"
    CHECK_ADDED = "check-added"
    CHECK_REMOVED = "check-removed"
    CHECK_CHANGED = "check-changed"
    UNCOMPARABLE = "uncomparable"
    OPTION = "option"
    MEMBER_ADDED = "member-added"
    MEMBER_REMOVED = "member-removed"
    MEMBER_KIND = "member-kind"
    RETURNS = "returns"
    ARGUMENT_ADDED = "argument-added"
    ARGUMENT_REMOVED = "argument-removed"
    ARGUMENT = "argument"


@dataclass(frozen=True)
class ContractChange:
    """One difference between two states of a contract.

    Attributes:
        contract: The contract's name.
        column: The column, or the member of a model contract; None for the whole contract.
        kind: What the change is about.
        direction: Its effect on what is accepted.
        name: The name of the check, argument, option or entry of the metadata.
        before: The value before, None if there was none; for a changed check, its form.
        after: The value after, None if there is none; for a changed check, its form.
    """

    contract: str
    column: str | None
    kind: ChangeKind
    direction: Direction
    name: str = ""
    before: Any = None
    after: Any = None

    @property
    def breaks(self) -> tuple[Role, ...]:
        """The roles that it breaks."""
        return self.direction.breaks


@dataclass(frozen=True)
class ContractComparison:
    """The changes of one contract, and what follows from them.

    Attributes:
        contract: The contract's name.
        changes: Every difference, none if both states enforce the same.
        version_before: The version, empty if none is stated, None for a new contract.
        version_after: The version, empty if none is stated, None for a removed contract.
        parties: The sides behind the roles, as the state before the change states them.
        is_model: Whether it is a model contract, whose version is its module's `__version__`.
    """

    contract: str
    changes: tuple[ContractChange, ...]
    version_before: str | None
    version_after: str | None
    parties: Mapping[Role, str]
    is_model: bool = False

    @property
    def bump(self) -> Bump:
        """The part of the version that has to be raised."""
        return "major" if self.breaks else "minor" if self.changes else "none"

    @property
    def breaks(self) -> tuple[Role, ...]:
        """The roles that any of the changes breaks."""
        broken = {role for change in self.changes for role in change.breaks}
        return tuple(role for role in get_args(Role) if role in broken)

    @property
    def consent(self) -> tuple[str, ...]:
        """The sides that have to follow, and so have to agree."""
        return self.sides_of(self.breaks)

    @property
    def required_version(self) -> str | None:
        """The version that the changes require, None if the stated one is enough."""
        if self.bump == "none" or not self.version_before or self.version_after is None:
            return None
        before, after = _numbers(self.version_before), _numbers(self.version_after)
        if before is None:
            return None if after else "1.0.0"
        major, minor = before[:2]
        required = (major + 1, 0, 0) if self.bump == "major" else (major, minor + 1, 0)
        return None if after and after >= required else ".".join(map(str, required))

    def sides_of(self, roles: tuple[Role, ...]) -> tuple[str, ...]:
        """Return the sides behind roles, each once."""
        return tuple(dict.fromkeys(self.parties.get(role, role) for role in roles))


def version_text(stated: Any) -> str:
    """Return a stated version as text, empty if none is stated."""
    return "" if stated is None else str(stated)


def _numbers(version: str) -> tuple[int, ...] | None:
    """Return a semantic version as numbers, None if it is none."""
    parts = version.split(".")
    return tuple(map(int, parts)) if len(parts) == 3 and all(p.isdigit() for p in parts) else None
