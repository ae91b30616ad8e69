"""Examples: a table that one state of a contract accepts and the other refuses, tried on both."""

import ast
import itertools
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeAlias

from baton_handoff.contracts.compatibility import Change
from baton_handoff.contracts.constraints import Form

Row: TypeAlias = dict[str, Any]
Table: TypeAlias = list[Row]

_MOMENT = "2024-06-15T12:00:00+00:00"
_PLAIN: dict[str, list[Any]] = {
    "integer": [1, 0, -1, 2, 10, 100],
    "number": [1.0, 0.0, -1.0, 0.5, 10.0, 100.0],
    "boolean": [True, False],
    "string": ["a", "A", "1", "aa", "AAA", ""],
}
_ROUNDS = (8, 16, 32, 64, 128)
"""How many candidates are tried at a time before giving up on a change."""


class Accepts(Protocol):
    """A state of the contracts that can be asked."""

    def accepts(self, contract: str, tables: Sequence[Table]) -> list[bool]:
        """Whether a contract accepts each table."""


@dataclass(frozen=True)
class Example:
    """A table that tells two states of a contract apart.

    Attributes:
        rows: The table; mostly one row.
        accepted_before: It was accepted and is refused now; False: it was refused and is accepted.
    """

    rows: Table
    accepted_before: bool

    def about(self, change: Change) -> str:
        """The example in words, reduced to what the change is about."""
        row = self.rows[0]
        if len(self.rows) > 1:
            key = "key" if change.column is None else change.column
            said = f"{len(self.rows)} rows with the same {key}"
        elif change.column is None:
            said = ", ".join(f"{name} = {_shown(value)}" for name, value in row.items())
        elif change.column in row:
            said = f"{change.column} = {_shown(row[change.column])}"
        else:
            said = f"a row without {change.column}"
        turn = (
            "accepted before, refused now"
            if self.accepted_before
            else "refused before, accepted now"
        )
        return f"{said}: {turn}"


def example_of(
    change: Change, before: Form, after: Form, was: Accepts, now: Accepts
) -> Example | None:
    """Find a table that a change lets in or keeps out, None where none could be made.

    Args:
        change: The change.
        before: The contract's form before it.
        after: The contract's form after it.
        was: What the contracts accepted before.
        now: What they accept now.
    """
    # A change that tightens is best shown by what it keeps out.
    wanted = "producer" in change.direction.breaks
    candidates = _candidates(change, before, after)
    any_at_all = None
    # Mostly one of the first tells them apart; each further round dares more.
    for at_once in _ROUNDS:
        tables = list(itertools.islice(candidates, at_once))
        asked = was.accepts(before["name"], tables), now.accepts(after["name"], tables)
        for table, one, other in zip(tables, *asked, strict=True):
            if one != other and one == wanted:
                return Example(table, accepted_before=one)
            if one != other:
                any_at_all = any_at_all or Example(table, accepted_before=one)
        if any_at_all or not tables:
            break
    return any_at_all


@dataclass(frozen=True)
class ExampleRow:
    """A row that a contract accepts.

    Attributes:
        row: The row.
        generated: The columns whose value is made up from the rules; the others are known ones.
    """

    row: Row
    generated: tuple[str, ...]


def example_row(
    form: Form, accepts: Callable[[Row], bool], known: Sequence[Row] = ()
) -> ExampleRow | None:
    """Find a row that a contract accepts, None where none could be made.

    Args:
        form: The contract's canonical form.
        accepts: The contract itself.
        known: Rows as they occur; the one that says most of what the contract asks for is taken,
            if it says more than half.
    """
    candidates = itertools.islice(_likely(form, known), sum(_ROUNDS))
    return next((legal for legal in candidates if accepts(legal.row)), None)


def example_value(
    name: str, form: Form, row: Row, accepts: Callable[[Row], bool], known: Sequence[Row] = ()
) -> Any:
    """Find a value, other than null, that a column may have in a row; None where there is none."""

    def likely() -> Iterator[Any]:
        yield from (other.get(name) for other in known)
        yield from accepted_values(form["columns"][name])

    return next((v for v in likely() if v is not None and accepts({**row, name: v})), None)


def _likely(form: Form, known: Sequence[Row]) -> Iterator[ExampleRow]:
    """Rows that a contract may accept: those that occur, then what its rules suggest."""
    names = tuple(form["ordered"] or form["columns"])
    fitting = [{name: row[name] for name in names if name in row} for row in known]
    fitting.sort(key=lambda row: (-len(row), list(row.values()).count(None)))
    for row in fitting:
        if len(row) * 2 > len(names):
            lacking = tuple(name for name in names if name not in row)
            columns = {name: form["columns"][name] for name in lacking}
            whole = {**row, **next(_rows({**form, "ordered": lacking, "columns": columns}))}
            yield ExampleRow({name: whole[name] for name in names}, lacking)
    rows = list(_rows(form))
    for row in (*rows, *_varied(rows[0], names, form, agreed=True, numbers=_numbers_in(form))):
        yield ExampleRow(row, names)


def _candidates(change: Change, before: Form, after: Form) -> Iterator[Table]:
    """Tables that differ from an ordinary one in what the change is about; simple ones first."""
    rows = [row for form in (before, after) for row in _rows(form, before, after)]
    if change.column not in before["columns"] or change.column not in after["columns"]:
        yield from ([row] for row in rows)
    for row in rows:
        if change.what in ("key", "unique"):
            yield from _repeated(row, before)
        elif change.what == "order":
            yield [dict(reversed(row.items()))]
        elif change.what == "strict":
            yield [{**row, "another_column": 1}]
        elif change.column in before["columns"] and change.column not in after["columns"]:
            yield [{name: value for name, value in row.items() if name != change.column}]
    # Whatever the change is not about stays within the rules of both states.
    numbers = [*_numbers_in(before), *_numbers_in(after)]

    def agreed(row: Row) -> Iterator[Row]:
        return _varied(row, list(row), before, after, agreed=True, numbers=numbers)

    if change.column is None:
        varied = [one for row in rows for one in agreed(row)]
    else:
        varied = [one for row in rows for one in _varied(row, [change.column], before, after)]
        varied.sort(
            key=lambda row: not _told_apart(row.get(str(change.column)), change, before, after)
        )
    yield from ([row] for row in varied)
    # A rule about several columns may stand in the way until another one is varied too.
    for row in varied:
        yield from ([other] for other in agreed(row) if _same(row, other, change.column))


def _varied(
    row: Row,
    names: Sequence[str],
    *forms: Form,
    agreed: bool = False,
    numbers: Sequence[float] = (),
) -> Iterator[Row]:
    """The row with the value of one column changed, of each in turn.

    Args:
        row: The row.
        names: The columns.
        forms: The states of the contract.
        agreed: Only to values that all states accept.
        numbers: Further values to try in columns of numbers.
    """
    for name in names:
        states = [form["columns"][name] for form in forms if name in form["columns"]]
        of_numbers = any(state["type"] in ("integer", "number") for state in states)
        for value in [*probes(states), *(numbers if of_numbers else [])]:
            if value != row.get(name) and (
                not agreed or all(_fits(value, state) for state in states)
            ):
                yield {**row, name: value}


def _numbers_in(form: Form) -> list[float]:
    """The numbers that a table's own rules mention: near them they may decide otherwise."""
    mentioned: set[float] = {
        node.value
        for check in form["checks"]
        for node in ast.walk(ast.parse(check.get("source", "")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    }
    return [number + by for number in sorted(mentioned) for by in (0, 1, -1)]


def _told_apart(value: Any, change: Change, before: Form, after: Form) -> bool:
    """Whether the column's own rules, as far as understood, decide about it differently."""
    states = [form["columns"].get(change.column) for form in (before, after)]
    return None not in states and _fits(value, states[0]) != _fits(value, states[1])


def _same(one: Row, other: Row, column: str | None) -> bool:
    return column is None or one.get(column) == other.get(column)


def _repeated(row: Row, form: Form) -> Iterator[Table]:
    """The row twice, as it is and with each one of its values changed."""
    yield [row, row]
    for name, column in form["columns"].items():
        other = next((value for value in accepted_values(column) if value != row.get(name)), None)
        if other is not None:
            yield [row, {**row, name: other}]


def _rows(form: Form, *states: Form) -> Iterator[Row]:
    """A few rows that the rules of each column accept, in all states if that is possible.

    Rules about several columns may still refuse them.
    """
    row = {}
    for name in form["ordered"] or list(form["columns"]):
        columns = [state["columns"][name] for state in states if name in state["columns"]]
        own = accepted_values(form["columns"][name])
        row[name] = next((v for v in own if all(_fits(v, column) for column in columns)), own[0])
    yield row
    if any(column["nullable"] for column in form["columns"].values()):
        yield {n: None if form["columns"][n]["nullable"] else value for n, value in row.items()}


def accepted_values(column: Mapping[str, Any]) -> list[Any]:
    """Values that a column's own rules accept, null where nothing else was found."""
    fit = [value for value in probes([column]) if value is not None and _fits(value, column)]
    return fit or [None]


def probes(columns: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Values on both sides of every rule of a column's states."""
    found: list[Any] = []
    for column in columns:
        if column["type"].startswith("timestamp"):
            found.append(_MOMENT)
        for check in column["checks"]:
            found += _around(check, whole=column["type"] == "integer")
        found += _PLAIN.get(column["type"], [])
    found.append(None)
    return list({(type(value), value): value for value in found}.values())


def _around(check: Mapping[str, Any], *, whole: bool) -> list[Any]:
    match check:
        case {"allowed_values": values} | {"forbidden_values": values}:
            return list(values)
        case {"pattern": str(pattern)}:
            return _texts(pattern)
        case {"name": "str_length"}:
            lengths = [check.get("min_value"), check.get("max_value")]
            return ["a" * (n + step) for n in lengths if n for step in (0, -1, 1)]
        case _:
            step = 1 if whole else 0.5
            numbers = [
                value
                for value in check.values()
                if isinstance(value, int | float) and not isinstance(value, bool)
            ]
            return [
                number + by for number in numbers for by in (0, step, -step, 2 * step, -2 * step)
            ]


def _fits(value: Any, column: Mapping[str, Any]) -> bool:
    """Whether a column's own rules accept a value, as far as they are understood."""
    if value is None:
        return bool(column["nullable"])
    try:
        return all(_meets(value, check) for check in column["checks"])
    except TypeError:  # text against a rule for numbers, or the other way round
        return False


def _meets(value: Any, check: Mapping[str, Any]) -> bool:
    if compare := _COMPARISONS.get(check["name"]):
        return bool(compare(value, check.get("min_value", check.get("max_value"))))
    match check:
        case {"allowed_values": values}:
            return value in values
        case {"forbidden_values": values}:
            return value not in values
        case {"pattern": str(pattern)}:
            return value in _texts(pattern)
        case _:
            return True


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "greater_than": operator.gt,
    "greater_than_or_equal_to": operator.ge,
    "less_than": operator.lt,
    "less_than_or_equal_to": operator.le,
}


@cache
def _texts(pattern: str) -> list[str]:
    """A text that matches a pattern, if one is found quickly."""
    # One of the tools: whoever only reads contracts does without it.
    from hypothesis import HealthCheck, find, settings  # noqa: PLC0415
    from hypothesis.strategies import from_regex  # noqa: PLC0415

    quick = settings(
        database=None, derandomize=True, max_examples=20, suppress_health_check=list(HealthCheck)
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [find(from_regex(pattern, fullmatch=True), lambda _: True, settings=quick)]
    except Exception:  # noqa: BLE001  a pattern that Python can't read, or nothing found
        return []


def _shown(value: Any) -> str:
    return "null" if value is None else repr(value)
