"""Judging a change of a contract: does it tighten or loosen, and whom does that break?

A contract is a set of tables. A change tightens if a table that was accepted may now be refused:
that breaks who produces them. It loosens if a table that was refused may now be accepted: that
breaks who consumes them. What can't be judged counts as both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal, TypeAlias, get_args

from baton_handoff.contracts.constraints import Form, Rules, said

Role: TypeAlias = Literal["producer", "consumer"]
Bump: TypeAlias = Literal["major", "minor", "none"]


class Direction(StrEnum):
    """What a change does to what is accepted."""

    TIGHTENS = "tightens"
    LOOSENS = "loosens"
    BOTH = "tightens and loosens"
    UNKNOWN = "unknown"

    @property
    def breaks(self) -> tuple[Role, ...]:
        """Whom a change in this direction breaks."""
        match self:
            case Direction.TIGHTENS:
                return ("producer",)
            case Direction.LOOSENS:
                return ("consumer",)
            case _:
                return ("producer", "consumer")


@dataclass(frozen=True)
class Change:
    """One difference between two states of a contract.

    Attributes:
        contract: The contract's name.
        column: The column, None where the change is about the whole table.
        what: What is different, in words.
        before: How it was, None where there was nothing.
        after: How it is, None where there is nothing.
        direction: What it does to what is accepted.
        breaks: The roles that can't go on as before.
    """

    contract: str
    column: str | None
    what: str
    before: Any
    after: Any
    direction: Direction
    breaks: tuple[Role, ...] = ()

    def __str__(self) -> str:
        where = self.contract if self.column is None else f"{self.contract}.{self.column}"
        match (self.before, self.after):
            case (None, None):
                values = ""
            case (None, after):
                values = f" {said(after)}"
            case (before, None):
                values = f" (was {said(before)})"
            case (before, after):
                values = f" {said(before)} → {said(after)}"
        return f"{where}: {self.what}{values}"


@dataclass(frozen=True)
class ContractComparison:
    """What changed in one contract, and what follows.

    Attributes:
        contract: The contract's name.
        changes: Every difference; empty where the same is enforced.
        was: The version before, empty where none was stated, None for a new contract.
        now: The version after, empty where none is stated, None for a contract that is gone.
        parties: The sides behind the roles, as the state before the change says.
        says: How a version is stated.
    """

    contract: str
    changes: tuple[Change, ...]
    was: str | None
    now: str | None
    parties: Mapping[Role, str]
    says: str = '"version": "{}" in its Config.metadata'

    @property
    def bump(self) -> Bump:
        """What its version has to be raised by."""
        return "major" if self.breaks else "minor" if self.changes else "none"

    @property
    def breaks(self) -> tuple[Role, ...]:
        """The roles that any of the changes breaks."""
        broken = {role for change in self.changes for role in change.breaks}
        return tuple(role for role in get_args(Role) if role in broken)

    @property
    def consent(self) -> tuple[str, ...]:
        """The sides that have to follow, and so have to agree."""
        return tuple(dict.fromkeys(self.parties.get(role, role) for role in self.breaks))

    @property
    def needed(self) -> str | None:
        """The version that the change asks for, None where the one it has is enough."""
        if self.bump == "none" or not self.was or self.now is None:
            return None
        before, after = _numbers(self.was), _numbers(self.now)
        if before is None:
            return None if after else "1.0.0"
        asked = (before[0] + 1, 0, 0) if self.bump == "major" else (before[0], before[1] + 1, 0)
        return None if after and after >= asked else ".".join(map(str, asked))


def compare(before: Form | None, after: Form | None) -> ContractComparison:
    """Judge what became of one contract.

    Args:
        before: Its canonical form, None if it is new.
        after: Its canonical form, None if it is gone.

    Raises:
        ValueError: Neither is given.
    """
    known = before or after
    if known is None:
        raise ValueError("a comparison needs a contract on at least one side")
    changes = tuple(_by_position(change, known) for change in _changes(before, after))
    metadata = known["metadata"]
    return ContractComparison(
        contract=known["name"],
        changes=changes,
        was=version(before["metadata"].get("version")) if before else None,
        now=version(after["metadata"].get("version")) if after else None,
        parties={role: metadata[role] for role in get_args(Role) if role in metadata},
    )


def version(stated: Any) -> str:
    """A version as it is stated, as text; empty where none is."""
    return "" if stated is None else str(stated)


def compare_all(before: Mapping[str, Form], after: Mapping[str, Form]) -> list[ContractComparison]:
    """Judge every contract of two trees, by name; those that stayed as they were are left out."""
    judged = [compare(before.get(name), after.get(name)) for name in sorted({*before, *after})]
    return [comparison for comparison in judged if comparison.changes]


def _by_position(change: Change, contract: Form) -> Change:
    new_inside = change.what == "new column" and contract["metadata"].get("position") == "internal"
    harmless = new_inside or change.what == "new contract"
    return replace(change, breaks=() if harmless else change.direction.breaks)


def _changes(before: Form | None, after: Form | None) -> Iterator[Change]:
    if before is None or after is None:
        known = before or after or {}
        what = "new contract" if before is None else "contract removed"
        yield Change(known["name"], None, what, None, None, Direction.UNKNOWN)
        return
    contract = after["name"]
    for column, what, was, now, direction in (
        *_roles(before, after),
        *_columns(before, after),
        *_table(before, after),
    ):
        yield Change(contract, column, what, was, now, direction)


_Difference: TypeAlias = tuple[str | None, str, Any, Any, Direction]


def _roles(before: Form, after: Form) -> Iterator[_Difference]:
    for role in ("position", "producer", "consumer"):
        was, now = before["metadata"].get(role), after["metadata"].get(role)
        if was != now:
            yield None, role, was, now, Direction.UNKNOWN


def _columns(before: Form, after: Form) -> Iterator[_Difference]:
    was, now = before["columns"], after["columns"]
    gone = [name for name in was if name not in now]
    new = [name for name in now if name not in was]
    for name in gone:
        # The same description under a new name is a suggestion; it is judged as what it is.
        heir = next((other for other in new if now[other] == was[name]), None)
        loosens = was[name]["required"] or not after["strict"]
        tightens = after["strict"] is True
        direction = _direction(tightens=tightens, loosens=loosens)
        if heir is None:
            yield name, "column removed", None, None, direction
        else:
            new.remove(heir)
            yield name, "column renamed?", name, heir, Direction.BOTH
    for name in new:
        tightens = now[name]["required"] or before["strict"] is not True
        loosens = before["strict"] is True
        direction = _direction(tightens=tightens, loosens=loosens)
        yield name, "new column", None, None, direction
    for name in was:
        if name in now:
            for what, *difference in _column(was[name], now[name]):
                yield name, what, *difference


def _column(was: Form, now: Form) -> Iterator[tuple[str, Any, Any, Direction]]:
    if was["type"] != now["type"]:
        yield "type", was["type"], now["type"], Direction.UNKNOWN
        # Rules of another type can't be compared.
        return
    for option, what, more_is in (
        ("nullable", "nulls", Direction.LOOSENS),
        ("required", "required", Direction.TIGHTENS),
        ("unique", "unique", Direction.TIGHTENS),
        ("coerce", "coerce", Direction.LOOSENS),
    ):
        if was[option] != now[option]:
            yield what, was[option], now[option], more_is if now[option] else _opposite(more_is)
    yield from _rules(was, now)
    yield from _others(was, now, {"type", "nullable", "required", "unique", "coerce", "checks"})


def _table(before: Form, after: Form) -> Iterator[_Difference]:
    if before["strict"] != after["strict"]:
        direction = {(False, True): Direction.TIGHTENS, (True, False): Direction.LOOSENS}.get(
            (before["strict"], after["strict"]), Direction.UNKNOWN
        )
        yield None, "strict", before["strict"], after["strict"], direction
    if before["coerce"] != after["coerce"]:
        direction = Direction.LOOSENS if after["coerce"] else Direction.TIGHTENS
        yield None, "coerce", before["coerce"], after["coerce"], direction
    yield from _order(before, after)
    was, now = set(before["unique"]), set(after["unique"])
    if was != now:
        # A key of more columns allows more rows.
        tightens = bool(now) and not (was and was < now)
        loosens = bool(was) and not (now and now < was)
        direction = _direction(tightens=tightens, loosens=loosens)
        yield None, "key", before["unique"] or None, after["unique"] or None, direction
    compared = {"name", "metadata", "columns", "unique", "strict", "ordered", "coerce", "checks"}
    for what, *difference in (*_rules(before, after), *_others(before, after, compared)):
        yield None, what, *difference


def _order(before: Form, after: Form) -> Iterator[_Difference]:
    was, now = before["ordered"], after["ordered"]
    if was and now:
        # New and lost columns are said elsewhere; here only the order of the others counts.
        kept = [name for name in was if name in now], [name for name in now if name in was]
        if kept[0] != kept[1]:
            yield None, "order", was, now, Direction.BOTH
    elif was or now:
        direction = Direction.TIGHTENS if now else Direction.LOOSENS
        yield None, "order", was or None, now or None, direction


def _rules(was: Form, now: Form) -> Iterator[tuple[str, Any, Any, Direction]]:
    """Compare the checks of a column or a table."""
    before, after = Rules.of(was), Rules.of(now)
    if before.allowed is None and after.allowed is None:
        yield from _ranges(before, after)
    else:
        yield from _categories(before, after)
    yield from _opaque(before.opaque, after.opaque)


def _ranges(before: Rules, after: Rules) -> Iterator[tuple[str, Any, Any, Direction]]:
    for what, one, other, upper in (
        ("smallest value", before.low, after.low, False),
        ("largest value", before.high, after.high, True),
        ("shortest text", before.shortest, after.shortest, False),
        ("longest text", before.longest, after.longest, True),
    ):
        was_said, now_said = one.said(upper=upper), other.said(upper=upper)
        if was_said != now_said:
            wider = other.is_wider_than(one, upper=upper)
            yield what, was_said, now_said, Direction.LOOSENS if wider else Direction.TIGHTENS
    # What a bound refuses anyway, it changes nothing to forbid.
    tightens = any(map(before.accepts, after.forbidden))
    loosens = any(map(after.accepts, before.forbidden))
    if tightens or loosens:
        said = _listed(before.forbidden or None), _listed(after.forbidden or None)
        yield "forbidden values", *said, _direction(tightens=tightens, loosens=loosens)


def _categories(before: Rules, after: Rules) -> Iterator[tuple[str, Any, Any, Direction]]:
    """Where one state lists its values, all other rules only say which of them count."""
    was, now = before.values, after.values
    tightens = was is None or not all(map(after.accepts, was))
    loosens = now is None or not all(map(before.accepts, now))
    if tightens or loosens:
        direction = _direction(tightens=tightens, loosens=loosens)
        yield "categories", _listed(was), _listed(now), direction


def _opaque(
    before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> Iterator[tuple[str, Any, Any, Direction]]:
    """Rules that can only be told to be there, to be gone or to be different."""
    # Under whatever name: the same rule called otherwise refuses the same.
    was, now = ([r for rules in states.values() for r in rules] for states in (before, after))
    for name in sorted({*before, *after}):
        gone = [rule for rule in before.get(name, []) if rule not in now]
        new = [rule for rule in after.get(name, []) if rule not in was]
        if gone and new:
            # Sources are compared, not shown: a reviewer reads them side by side anyway.
            shown = (None, None) if "\n" in gone[0] + new[0] else (gone[0], new[0])
            yield f"rule {name!r} is another one", *shown, Direction.UNKNOWN
        elif gone:
            yield f"rule {name!r} removed", None, None, Direction.LOOSENS
        elif new:
            yield f"new rule {name!r}", None, None, Direction.TIGHTENS


def _others(was: Form, now: Form, compared: set[str]) -> Iterator[tuple[str, Any, Any, Direction]]:
    """Whatever else a form says: that it is different is all that is known."""
    for key in sorted({*was, *now} - compared):
        if was.get(key) != now.get(key):
            yield key.replace("_", " "), was.get(key), now.get(key), Direction.UNKNOWN


def _direction(*, tightens: bool, loosens: bool) -> Direction:
    match (tightens, loosens):
        case (True, False):
            return Direction.TIGHTENS
        case (False, True):
            return Direction.LOOSENS
        case _:
            return Direction.BOTH


def _opposite(direction: Direction) -> Direction:
    return Direction.LOOSENS if direction is Direction.TIGHTENS else Direction.TIGHTENS


def _listed(values: frozenset[Any] | None) -> list[Any] | None:
    return None if values is None else sorted(values, key=repr)


def _numbers(version: str) -> tuple[int, ...] | None:
    """A semantic version as numbers, None where it is none."""
    parts = version.split(".")
    return tuple(map(int, parts)) if len(parts) == 3 and all(p.isdigit() for p in parts) else None
