"""Compare two states of a contract: does a change tighten or loosen it, and whom does it break?

A contract is a set of tables. A change tightens if a table that was accepted may now be refused:
that breaks the producer. It loosens if a table that was refused may now be accepted: that breaks
the consumer. A change that can't be judged counts as both. `sentences` renders changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, TypeAlias, get_args

from baton_handoff.contracts.changes import (
    ChangeKind,
    ContractChange,
    ContractComparison,
    Direction,
    Role,
    version_text,
)
from baton_handoff.contracts.constraints import Constraints, Form

Descriptions: TypeAlias = Mapping[str, str | None]
"""The descriptions of a contract's columns, by name."""


def compare(
    before: Form | None,
    after: Form | None,
    *,
    exported: bool = True,
    descriptions: tuple[Descriptions, Descriptions] = ({}, {}),
) -> ContractComparison:
    """Compare two states of one data contract.

    Args:
        before: Its canonical form, None if it is new. A placeholder counts as none.
        after: Its canonical form, None if it is removed.
        exported: Whether the package still exports it.
        descriptions: The descriptions of its columns before and after, which tell a renamed column
            from another one with equal rules.

    Raises:
        ValueError: Neither is given.
    """
    known = before or after
    if known is None:
        raise ValueError("a comparison needs a contract on at least one side")
    # A contract that refuses every table with a column: nothing can depend on its version.
    is_placeholder = before and before["strict"] is True and not before["columns"]
    if is_placeholder and after and after["columns"]:
        before = None
    metadata = known["metadata"]
    gone = ContractChange(known["name"], None, ChangeKind.UNEXPORTED, Direction.UNKNOWN)
    unexported = () if exported else (gone,)
    return ContractComparison(
        contract=known["name"],
        changes=(*unexported, *_changes(known["name"], before, after, descriptions)),
        version_before=version_text(before["metadata"].get("version")) if before else None,
        version_after=version_text(after["metadata"].get("version")) if after else None,
        parties={role: metadata[role] for role in get_args(Role) if role in metadata},
    )


def compare_all(before: Mapping[str, Form], after: Mapping[str, Form]) -> list[ContractComparison]:
    """Compare all contracts of two states, by name; unchanged ones are left out."""
    compared = [compare(before.get(name), after.get(name)) for name in sorted({*before, *after})]
    return [comparison for comparison in compared if comparison.changes]


_Difference: TypeAlias = tuple[ChangeKind, Direction, str, Any, Any]
"""Kind, direction, name, value before, value after."""


def _changes(
    name: str,
    before: Form | None,
    after: Form | None,
    descriptions: tuple[Descriptions, Descriptions],
) -> Iterator[ContractChange]:
    if before is None or after is None:
        added = before is None
        kind = ChangeKind.CONTRACT_ADDED if added else ChangeKind.CONTRACT_REMOVED
        yield ContractChange(name, None, kind, Direction.COMPATIBLE if added else Direction.UNKNOWN)
        return
    if "engine" not in before or before["engine"] != after.get("engine"):
        # Of the same name, a type of one engine is another type than that of the other.
        before, after = (_without_exact_types(form) for form in (before, after))
    for column, difference in (
        *((None, difference) for difference in _metadata(before, after)),
        *_columns(before, after, descriptions),
        *_index(before.get("index"), after.get("index")),
        *((None, difference) for difference in _table(before, after)),
    ):
        yield ContractChange(name, column, *difference)


def _without_exact_types(form: Form) -> Form:
    """Return a form as releases before 1.0 stored it, without the engine's own types."""
    columns = {
        name: {key: part for key, part in column.items() if key not in _EXACT}
        for name, column in form["columns"].items()
    }
    return {**form, "columns": columns}


_EXACT = {"dtype", "dtype_code", "categories"}


def _metadata(before: Form, after: Form) -> Iterator[_Difference]:
    engines = before.get("engine"), after.get("engine")
    if None not in engines and engines[0] != engines[1]:
        yield ChangeKind.ENGINE, Direction.UNKNOWN, "", *engines
    for name in ("position", "producer", "consumer"):
        old, new = before["metadata"].get(name), after["metadata"].get(name)
        if old != new:
            yield ChangeKind.METADATA, Direction.UNKNOWN, name, old, new


def _columns(
    before: Form, after: Form, descriptions: tuple[Descriptions, Descriptions]
) -> Iterator[tuple[str, _Difference]]:
    old, new = before["columns"], after["columns"]
    added = [name for name in new if name not in old]
    for name in (name for name in old if name not in new):
        # An equal column under a new name is reported as a guess, and judged as removed and added.
        equal = [other for other in added if new[other] == old[name]]
        heir = _renamed(name, equal, descriptions)
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


def _renamed(
    name: str, candidates: Sequence[str], descriptions: tuple[Descriptions, Descriptions]
) -> str | None:
    """Return the column that a removed one most likely became, None if none is likely."""
    former, new = descriptions[0].get(name), descriptions[1]
    likely = [other for other in candidates if not (former and new.get(other))]
    same = [other for other in candidates if former and new.get(other) == former]
    return max(
        same or likely, key=lambda other: SequenceMatcher(None, name, other).ratio(), default=None
    )


def _index(old: Any, new: Any) -> Iterator[tuple[str | None, _Difference]]:
    """Compare the levels of an index like columns, if both states have the same levels."""
    levels = [index["levels"] if isinstance(index, dict) else [] for index in (old, new)]
    names = [[level["name"] for level in state] for state in levels]
    if names[0] != names[1] or not names[0]:
        if old != new:
            was, now = ([name or "unnamed" for name in state] or None for state in names)
            yield None, (ChangeKind.INDEX, Direction.UNKNOWN, "", was, now)
        return
    for before, after in zip(*levels, strict=True):
        found = _column(_without_name(before), _without_name(after))
        yield from ((before["name"] or "index", difference) for difference in found)
    yield from ((None, difference) for difference in _options(old, new, {"levels"}))


def _without_name(level: Form) -> Form:
    return {key: part for key, part in level.items() if key != "name"}


_LOOSENS_IF_SET = {
    ChangeKind.NULLABLE: True,
    ChangeKind.REQUIRED: False,
    ChangeKind.UNIQUE: False,
    ChangeKind.COERCE: True,
}


def _column(old: Form, new: Form) -> Iterator[_Difference]:
    if old["type"] != new["type"]:
        # Rules for another type can't be compared.
        yield ChangeKind.TYPE, Direction.UNKNOWN, "", old["type"], new["type"]
        return
    if old.get("dtype") != new.get("dtype"):
        yield ChangeKind.TYPE, Direction.UNKNOWN, "", old.get("dtype"), new.get("dtype")
    elif old.get("categories") != new.get("categories"):
        # A table has all categories of its type, also those that no row has.
        values = old.get("categories"), new.get("categories")
        yield ChangeKind.CATEGORIES, Direction.BOTH, "", *values
    for kind, loosens in _LOOSENS_IF_SET.items():
        if old[kind] != new[kind]:
            direction = Direction.LOOSENS if new[kind] == loosens else Direction.TIGHTENS
            yield kind, direction, "", old[kind], new[kind]
    yield from _rules(old, new)
    yield from _options(
        old, new, {"type", "dtype", "categories", "checks", "drafts", *_LOOSENS_IF_SET}
    )


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
    compared.add("drafts")  # they refuse nothing
    yield from _rules(before, after)
    compared |= {"engine", "index"}
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
        if (gone or new) and (reads := unfollowed([*gone, *new])):
            yield ChangeKind.UNCOMPARABLE, Direction.UNKNOWN, name, None, reads
        elif gone and new:
            yield ChangeKind.CHECK_CHANGED, Direction.UNKNOWN, name, gone[0], new[0]
        elif gone:
            yield ChangeKind.CHECK_REMOVED, Direction.LOOSENS, name, None, None
        elif new:
            yield ChangeKind.CHECK_ADDED, Direction.TIGHTENS, name, None, None


def _options(old: Form, new: Form, compared: set[str]) -> Iterator[_Difference]:
    """Compare all other entries of a form, of which nothing is known but whether they are equal."""
    for key in sorted({*old, *new} - compared):
        values = old.get(key), new.get(key)
        if values[0] != values[1] and (reads := unfollowed(values)):
            yield ChangeKind.UNCOMPARABLE, Direction.UNKNOWN, key, None, reads
        elif values[0] != values[1]:
            yield ChangeKind.OPTION, Direction.UNKNOWN, key, old.get(key), new.get(key)


def unfollowed(part: Any) -> list[str]:
    """Return what the code in a part of a form reads and can't be followed."""
    if isinstance(part, Mapping):
        own = part.get("unfollowed", [])
        return sorted({*own, *(name for inner in part.values() for name in unfollowed(inner))})
    if isinstance(part, list | tuple):
        return sorted({name for inner in part for name in unfollowed(inner)})
    return []


def _direction(*, tightens: bool, loosens: bool) -> Direction:
    if tightens == loosens:
        return Direction.BOTH
    return Direction.TIGHTENS if tightens else Direction.LOOSENS


def _listed(values: frozenset[Any] | None) -> list[Any] | None:
    return None if values is None else sorted(values, key=repr)
