"""Example rows: rows that a contract accepts, and tables that tell two states of it apart.

The search tries values on both sides of every rule, simple ones first, and is the same in every
run. The contracts themselves decide: rules that can't be read here, such as code, count too.
"""

import ast
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from baton_handoff.contracts.changes import ChangeKind, ContractChange
from baton_handoff.contracts.constraints import Constraints, Form

Row: TypeAlias = dict[str, Any]
Table: TypeAlias = list[Row]
Accepts: TypeAlias = Callable[[str, Sequence[Table]], Callable[[], list[bool]]]
"""Ask whether a contract, given by its name, accepts each table; what it returns waits for it."""

_MOMENT = "2024-06-15T12:00:00+00:00"
_PLAIN: dict[str, list[Any]] = {
    "integer": [1, 0, -1, 2, 10, 100],
    "number": [1.0, 0.0, -1.0, 0.5, 10.0, 100.0],
    "boolean": [True, False],
    "string": ["a", "A", "1", "aa", "AAA", ""],
}
_DURATION = TypeAdapter(timedelta)
_BATCHES = (8, 16, 32, 64, 128)
"""How many tables are tried at a time; mostly one of the first batch tells two states apart."""


@dataclass(frozen=True)
class Example:
    """A table that tells two states of a contract apart.

    Attributes:
        rows: The table; mostly one row.
        accepted_before: Whether only the state before accepts it; else only the state after does.
    """

    rows: Table
    accepted_before: bool


@dataclass(frozen=True)
class ExampleRow:
    """A row that a contract accepts.

    Attributes:
        row: The row.
        generated: The columns whose values are generated from the rules; the others are known.
    """

    row: Row
    generated: tuple[str, ...]


def example_of(
    change: ContractChange, before: Form, after: Form, old: Accepts, new: Accepts
) -> Example | None:
    """Find a table that a change lets in or keeps out, None if none is found.

    Args:
        change: The change.
        before: The contract's form before it.
        after: The contract's form after it.
        old: The contracts before it.
        new: The contracts after it.
    """
    # A change that tightens is best shown by a table that is refused now.
    preferred = "producer" in change.breaks
    candidates = _candidates(change, before, after)

    def both(tables: list[Table]) -> tuple[list[bool], list[bool]]:
        first, second = old(before["name"], tables), new(after["name"], tables)
        try:
            accepted_before = first()
        finally:
            accepted_after = second()  # also read if the first one fails
        return accepted_before, accepted_after

    for size in _BATCHES:
        tables = list(itertools.islice(candidates, size))
        answers = zip(tables, *both(tables), strict=True)
        found = [Example(table, accepted_before=a) for table, a, b in answers if a != b]
        found.sort(key=lambda example: example.accepted_before != preferred)
        for example in found:
            # Many tables at a time may be judged in another way than each alone.
            if both([example.rows]) == ([example.accepted_before], [not example.accepted_before]):
                return example
        if not tables:
            break
    return None


def example_row(
    form: Form, accepts: Callable[[Row], bool], known: Sequence[Row] = ()
) -> ExampleRow | None:
    """Find a row that a contract accepts, None if none is found.

    Args:
        form: The contract's canonical form.
        accepts: The contract itself.
        known: Known rows; one that has more than half of the columns is preferred.
    """
    candidates = itertools.islice(_likely(form, known), sum(_BATCHES))
    return next((example for example in candidates if accepts(example.row)), None)


def example_value(
    name: str, form: Form, row: Row, accepts: Callable[[Row], bool], known: Sequence[Row] = ()
) -> Any:
    """Find a value, other than null, that a column may have in a row, None if none is found."""
    values = (*(other.get(name) for other in known), *accepted_values(form["columns"][name]))
    return next((v for v in values if v is not None and accepts({**row, name: v})), None)


def accepted_values(column: Mapping[str, Any]) -> list[Any]:
    """Return values that a column's own rules accept, or one null if there are none."""
    fit = [value for value in probes([column]) if value is not None and _fits(value, column)]
    return fit or [None]


def probes(columns: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return values on both sides of every rule of a column's states."""
    found: list[Any] = []
    for column in columns:
        if column["type"].startswith("timestamp"):
            found.append(_MOMENT)
        for check in column["checks"]:
            found += _around(check, whole=column["type"] == "integer")
        found += _PLAIN.get(column["type"], [])
    found.append(None)
    return list({(type(value), value): value for value in found}.values())


def _likely(form: Form, known: Sequence[Row]) -> Iterator[ExampleRow]:
    """Yield rows that a contract may accept: known ones, then those that its rules suggest."""
    names = tuple(form["ordered"] or form["columns"])
    rows = [{name: row[name] for name in names if name in row} for row in known]
    rows.sort(key=lambda row: (-len(row), list(row.values()).count(None)))
    generated = next(_rows(form))
    for row in rows:
        if len(row) * 2 > len(names):
            missing = tuple(name for name in names if name not in row)
            yield ExampleRow({name: row.get(name, generated[name]) for name in names}, missing)
    for candidate in (*_rows(form), *_varied(generated, names, form, mentioned=_mentioned(form))):
        yield ExampleRow(candidate, names)


def _candidates(change: ContractChange, before: Form, after: Form) -> Iterator[Table]:
    """Yield tables that differ from an ordinary one in what changed; simple ones first."""
    column = change.column
    rows = [row for form in (before, after) for row in _rows(form, before, after)]
    if column not in before["columns"] or column not in after["columns"]:
        yield from ([row] for row in rows)
    for row in rows:
        match change.kind:
            case ChangeKind.KEY | ChangeKind.UNIQUE:
                yield from _repeated(row, before)
            case ChangeKind.ORDER:
                yield [dict(reversed(row.items()))]
            case ChangeKind.STRICT:
                yield [{**row, "another_column": 1}]
            case ChangeKind.COLUMN_REMOVED | ChangeKind.COLUMN_RENAMED:
                yield [{name: value for name, value in row.items() if name != column}]
    # All other columns keep values that both states accept.
    mentioned = [*_mentioned(before), *_mentioned(after)]
    code = str((change.before, change.after))

    def agreed(row: Row) -> Iterator[Row]:
        # First the columns that the changed rule mentions.
        names = sorted(row, key=lambda name: name not in code)
        return _varied(row, names, before, after, mentioned=mentioned)

    if column is None:
        varied = [other for row in rows for other in agreed(row)]
    else:
        states = [form["columns"].get(column) for form in (before, after)]
        varied = [
            {**row, column: value}
            for row in rows
            for value in probes([state for state in states if state])
            if value != row.get(column)
        ]
        if None not in states:
            # First the values that the column's own rules judge differently.
            varied.sort(key=lambda row: len({_fits(row[column], state) for state in states}) == 1)
    yield from ([row] for row in varied)
    # A rule about several columns may refuse all of these until another column is varied too.
    for row in varied:
        yield from (
            [other] for other in agreed(row) if column is None or other[column] == row[column]
        )


def _varied(
    row: Row, names: Sequence[str], *forms: Form, mentioned: Sequence[float | timedelta] = ()
) -> Iterator[Row]:
    """Yield the row with the value of one column changed to one that all states accept."""
    for name in names:
        states = [form["columns"][name] for form in forms if name in form["columns"]]
        for value in [*probes(states), *_suggested(states, mentioned)]:
            if value != row.get(name) and all(_fits(value, state) for state in states):
                yield {**row, name: value}


def _suggested(
    states: Sequence[Mapping[str, Any]], mentioned: Sequence[float | timedelta]
) -> list[Any]:
    """Return values for a column from the numbers and durations in the code of a table's checks."""
    types = {state["type"] for state in states}
    if types & {"integer", "number"}:
        numbers = dict.fromkeys(value for value in mentioned if not isinstance(value, timedelta))
        return [number + by for number in numbers for by in (0, 1, -1)]
    if any(kind.startswith("timestamp") for kind in types):
        durations = dict.fromkeys(value for value in mentioned if isinstance(value, timedelta))
        moment, second = datetime.fromisoformat(_MOMENT), timedelta(seconds=1)
        around = [[-d, d, -d - second, -d + second, d + second, d - second] for d in durations]
        return [(moment + by).isoformat() for by in itertools.chain(*zip(*around, strict=True))]
    return []


def _mentioned(form: Form) -> list[float | timedelta]:
    """Return the numbers and durations that a table's own checks contain or read, small first."""

    def size(value: float | timedelta) -> float:
        return value.total_seconds() if isinstance(value, timedelta) else value

    return sorted(set(_values_in(form["checks"])), key=size)


def _values_in(part: Any) -> Iterator[float | timedelta]:
    """Yield the numbers and durations in a part of the form of a check."""
    match part:
        case bool():
            pass
        case int() | float():
            yield part
        case str() if ":" in part:
            with suppress(ValidationError):
                yield _DURATION.validate_python(part)
        case list():
            for item in part:
                yield from _values_in(item)
        case dict():
            yield from _values_in_code(part.get("source", ""))
            yield from _values_in([value for key, value in part.items() if key != "source"])


def _values_in_code(source: str) -> Iterator[float | timedelta]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as number):
                yield number
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=[_, *_]):
                if name.lower() in ("timedelta", "duration"):
                    with suppress(ValueError, TypeError, OverflowError):
                        stated = {str(k.arg): ast.literal_eval(k.value) for k in node.keywords}
                        yield timedelta(**stated)


def _repeated(row: Row, form: Form) -> Iterator[Table]:
    """Yield the row twice, as it is and with each one of its values changed."""
    yield [row, row]
    for name, column in form["columns"].items():
        other = next((value for value in accepted_values(column) if value != row.get(name)), None)
        if other is not None:
            yield [row, {**row, name: other}]


def _rows(form: Form, *states: Form) -> Iterator[Row]:
    """Yield rows that the rules of each column accept, if possible in all states.

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


def _around(check: Mapping[str, Any], *, whole: bool) -> list[Any]:
    match check:
        case {"allowed_values": values} | {"forbidden_values": values}:
            return list(values)
        case {"pattern": str(pattern)}:
            return _texts(pattern)
        case {"name": "str_length"}:
            lengths = [check.get("min_value"), check.get("max_value")]
            return ["a" * (n + step) for n in lengths if n for step in (0, -1, 1)]
    step = 1 if whole else 0.5
    numbers = [v for v in check.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    return [number + by for number in numbers for by in (0, step, -step, 2 * step, -2 * step)]


def _fits(value: Any, column: Mapping[str, Any]) -> bool:
    """Whether a column's own rules accept a value, as far as they are known here."""
    if value is None:
        return bool(column["nullable"])
    if isinstance(value, str) == (column["type"] in ("integer", "number", "boolean")):
        return False
    constraints = Constraints.of(column)
    patterns = [rule["pattern"] for rule in constraints.other.get("str_matches", [])]
    return constraints.accepts(value) and all(value in _texts(pattern) for pattern in patterns)


@cache
def _texts(pattern: str) -> list[str]:
    """Return a text that matches a pattern, if one is found quickly.

    None without hypothesis: it is one of the tools, which a service in production lacks.
    """
    try:
        from hypothesis import HealthCheck, Phase, find, settings  # noqa: PLC0415
        from hypothesis.strategies import from_regex  # noqa: PLC0415
    except ModuleNotFoundError:
        return []

    quick = settings(
        database=None,
        derandomize=True,
        max_examples=20,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [find(from_regex(pattern, fullmatch=True), lambda _: True, settings=quick)]
    except Exception:  # noqa: BLE001 - a pattern that Python can't read, or nothing found
        return []
