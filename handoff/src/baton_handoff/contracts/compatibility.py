"""Compare two states of a contract: does a change tighten or loosen it, and who is affected?

A contract is a set of tables. A change tightens if a table that was accepted may now be refused:
that breaks the producer. It loosens if a table that was refused may now be accepted: that breaks
the consumer. A change that can't be judged counts as both. `sentences` renders changes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias, get_args

from baton_handoff.contracts.constraints import Constraints, Form

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

    @property
    def opposite(self) -> "Direction":
        """The direction of the change back."""
        opposites = {Direction.TIGHTENS: Direction.LOOSENS, Direction.LOOSENS: Direction.TIGHTENS}
        return opposites.get(self, self)


class ChangeKind(StrEnum):
    """What a change is about. Kinds of one value are named like their entry in the form."""

    CONTRACT_ADDED = "contract-added"
    CONTRACT_REMOVED = "contract-removed"
    POSITION = "position"
    PRODUCER = "producer"
    CONSUMER = "consumer"
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
    OPTION = "option"
    MEMBER_ADDED = "member-added"
    MEMBER_REMOVED = "member-removed"
    MEMBER_KIND = "member-kind"
    RETURNS = "returns"
    ARGUMENT_ADDED = "argument-added"
    ARGUMENT_REMOVED = "argument-removed"
    ARGUMENT_NAME = "argument-name"
    ARGUMENT_KIND = "argument-kind"
    ARGUMENT_TYPE = "argument-type"
    ARGUMENT_REQUIRED = "argument-required"


@dataclass(frozen=True)
class Change:
    """One difference between two states of a contract.

    Attributes:
        contract: The contract's name.
        column: The column, or the member of a model contract; None for the whole contract.
        kind: What the change is about.
        direction: Its effect on what is accepted.
        name: The name of the check, option or argument.
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
    changes: tuple[Change, ...]
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


def compare(before: Form | None, after: Form | None) -> ContractComparison:
    """Compare two states of one data contract.

    Args:
        before: Its canonical form, None if it is new.
        after: Its canonical form, None if it is removed.

    Raises:
        ValueError: Neither is given.
    """
    known = before or after
    if known is None:
        raise ValueError("a comparison needs a contract on at least one side")
    metadata = known["metadata"]
    return ContractComparison(
        contract=known["name"],
        changes=tuple(_changes(known["name"], before, after)),
        version_before=version_text(before["metadata"].get("version")) if before else None,
        version_after=version_text(after["metadata"].get("version")) if after else None,
        parties={role: metadata[role] for role in get_args(Role) if role in metadata},
    )


def version_text(stated: Any) -> str:
    """Return a stated version as text, empty if none is stated."""
    return "" if stated is None else str(stated)


def compare_all(before: Mapping[str, Form], after: Mapping[str, Form]) -> list[ContractComparison]:
    """Compare all contracts of two states, by name; unchanged ones are left out."""
    compared = [compare(before.get(name), after.get(name)) for name in sorted({*before, *after})]
    return [comparison for comparison in compared if comparison.changes]


_Difference: TypeAlias = tuple[ChangeKind, Direction, str, Any, Any]
"""Kind, direction, name, value before, value after."""


def _changes(name: str, before: Form | None, after: Form | None) -> Iterator[Change]:
    if before is None or after is None:
        added = before is None
        kind = ChangeKind.CONTRACT_ADDED if added else ChangeKind.CONTRACT_REMOVED
        yield Change(name, None, kind, Direction.COMPATIBLE if added else Direction.UNKNOWN)
        return
    for column, difference in (
        *((None, difference) for difference in _metadata(before, after)),
        *_columns(before, after),
        *((None, difference) for difference in _table(before, after)),
    ):
        yield Change(name, column, *difference)


def _metadata(before: Form, after: Form) -> Iterator[_Difference]:
    for kind in (ChangeKind.POSITION, ChangeKind.PRODUCER, ChangeKind.CONSUMER):
        old, new = before["metadata"].get(kind), after["metadata"].get(kind)
        if old != new:
            yield kind, Direction.UNKNOWN, "", old, new


def _columns(before: Form, after: Form) -> Iterator[tuple[str, _Difference]]:
    old, new = before["columns"], after["columns"]
    added = [name for name in new if name not in old]
    for name in (name for name in old if name not in new):
        # An equal column under a new name is reported as a guess, and judged as removed and added.
        heir = next((other for other in added if new[other] == old[name]), None)
        if heir is None:
            loosens = old[name]["required"] or not after["strict"]
            direction = _direction(tightens=after["strict"] is True, loosens=loosens)
            yield name, (ChangeKind.COLUMN_REMOVED, direction, "", None, None)
        else:
            added.remove(heir)
            yield name, (ChangeKind.COLUMN_RENAMED, Direction.BOTH, "", name, heir)
    for name in added:
        tightens = new[name]["required"] or before["strict"] is not True
        direction = _direction(tightens=tightens, loosens=before["strict"] is True)
        if before["metadata"].get("position") == "internal":
            # A feature is computed from columns that are supplied already.
            direction = Direction.COMPATIBLE
        yield name, (ChangeKind.COLUMN_ADDED, direction, "", None, None)
    for name in old:
        if name in new:
            yield from ((name, difference) for difference in _column(old[name], new[name]))


_WHEN_SET = {
    ChangeKind.NULLABLE: Direction.LOOSENS,
    ChangeKind.REQUIRED: Direction.TIGHTENS,
    ChangeKind.UNIQUE: Direction.TIGHTENS,
    ChangeKind.COERCE: Direction.LOOSENS,
}
"""The direction in which an option goes that is switched on."""


def _column(old: Form, new: Form) -> Iterator[_Difference]:
    if old["type"] != new["type"]:
        # Rules for another type can't be compared.
        yield ChangeKind.TYPE, Direction.UNKNOWN, "", old["type"], new["type"]
        return
    for kind, direction in _WHEN_SET.items():
        if old[kind] != new[kind]:
            yield kind, direction if new[kind] else direction.opposite, "", old[kind], new[kind]
    yield from _rules(old, new)
    yield from _options(old, new, {"type", "checks", *_WHEN_SET})


def _table(before: Form, after: Form) -> Iterator[_Difference]:
    old, new = before["strict"], after["strict"]
    if old != new:
        direction = {(False, True): Direction.TIGHTENS, (True, False): Direction.LOOSENS}
        yield ChangeKind.STRICT, direction.get((old, new), Direction.UNKNOWN), "", old, new
    if before["coerce"] != after["coerce"]:
        direction_ = Direction.LOOSENS if after["coerce"] else Direction.TIGHTENS
        yield ChangeKind.COERCE, direction_, "", before["coerce"], after["coerce"]
    yield from _order(before["ordered"], after["ordered"])
    keys = set(before["unique"]), set(after["unique"])
    if keys[0] != keys[1]:
        # A key of more columns allows more rows.
        tightens = bool(keys[1]) and not (keys[0] and keys[0] < keys[1])
        loosens = bool(keys[0]) and not (keys[1] and keys[1] < keys[0])
        values = before["unique"] or None, after["unique"] or None
        yield ChangeKind.KEY, _direction(tightens=tightens, loosens=loosens), "", *values
    compared = {"name", "metadata", "columns", "unique", "strict", "ordered", "coerce", "checks"}
    yield from _rules(before, after)
    yield from _options(before, after, compared)


def _order(old: Any, new: Any) -> Iterator[_Difference]:
    if old and new:
        # Only the order of the columns in both counts: the others are reported as such.
        if [name for name in old if name in new] != [name for name in new if name in old]:
            yield ChangeKind.ORDER, Direction.BOTH, "", old, new
    elif old or new:
        direction = Direction.TIGHTENS if new else Direction.LOOSENS
        yield ChangeKind.ORDER, direction, "", old or None, new or None


def _rules(old: Form, new: Form) -> Iterator[_Difference]:
    """Compare the checks of a column or a table."""
    before, after = Constraints.of(old), Constraints.of(new)
    if before.allowed is None and after.allowed is None:
        yield from _ranges(before, after)
    else:
        yield from _categories(before, after)
    yield from _checks(before.other, after.other)


def _ranges(before: Constraints, after: Constraints) -> Iterator[_Difference]:
    for kind, old, new, upper in (
        (ChangeKind.MINIMUM, before.low, after.low, False),
        (ChangeKind.MAXIMUM, before.high, after.high, True),
        (ChangeKind.MIN_LENGTH, before.shortest, after.shortest, False),
        (ChangeKind.MAX_LENGTH, before.longest, after.longest, True),
    ):
        values = old.text(upper=upper), new.text(upper=upper)
        if values[0] != values[1]:
            wider = new.is_wider_than(old, upper=upper)
            yield kind, Direction.LOOSENS if wider else Direction.TIGHTENS, "", *values
    # Forbidding a value that a bound excludes anyway changes nothing.
    tightens = any(map(before.accepts, after.forbidden))
    loosens = any(map(after.accepts, before.forbidden))
    if tightens or loosens:
        direction = _direction(tightens=tightens, loosens=loosens)
        values_ = _listed(before.forbidden or None), _listed(after.forbidden or None)
        yield ChangeKind.FORBIDDEN, direction, "", *values_


def _categories(before: Constraints, after: Constraints) -> Iterator[_Difference]:
    """Compare listed values; all other constraints only restrict the list."""
    old, new = before.values, after.values
    tightens = old is None or not all(map(after.accepts, old))
    loosens = new is None or not all(map(before.accepts, new))
    if tightens or loosens:
        direction = _direction(tightens=tightens, loosens=loosens)
        yield ChangeKind.CATEGORIES, direction, "", _listed(old), _listed(new)


def _checks(
    before: Mapping[str, list[Form]], after: Mapping[str, list[Form]]
) -> Iterator[_Difference]:
    """Compare checks of which nothing is known but whether they are equal."""
    # By their content: the same check under another name refuses the same.
    all_old, all_new = ([r for rules in state.values() for r in rules] for state in (before, after))
    for name in sorted({*before, *after}):
        gone = [rule for rule in before.get(name, []) if rule not in all_new]
        new = [rule for rule in after.get(name, []) if rule not in all_old]
        if gone and new:
            yield ChangeKind.CHECK_CHANGED, Direction.UNKNOWN, name, gone[0], new[0]
        elif gone:
            yield ChangeKind.CHECK_REMOVED, Direction.LOOSENS, name, None, None
        elif new:
            yield ChangeKind.CHECK_ADDED, Direction.TIGHTENS, name, None, None


def _options(old: Form, new: Form, compared: set[str]) -> Iterator[_Difference]:
    """Compare all other entries of a form, of which nothing is known but whether they are equal."""
    for key in sorted({*old, *new} - compared):
        if old.get(key) != new.get(key):
            yield ChangeKind.OPTION, Direction.UNKNOWN, key, old.get(key), new.get(key)


def _direction(*, tightens: bool, loosens: bool) -> Direction:
    if tightens == loosens:
        return Direction.BOTH
    return Direction.TIGHTENS if tightens else Direction.LOOSENS


def _listed(values: frozenset[Any] | None) -> list[Any] | None:
    return None if values is None else sorted(values, key=repr)


def _numbers(version: str) -> tuple[int, ...] | None:
    """Return a semantic version as numbers, None if it is none."""
    parts = version.split(".")
    return tuple(map(int, parts)) if len(parts) == 3 and all(p.isdigit() for p in parts) else None
