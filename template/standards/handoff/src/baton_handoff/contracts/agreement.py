"""Rows and tables of the same values are judged alike: what a property test needs to ask that.

The values are those that JSON has: 40.0 is a whole number there, a moment is a text, and there is
neither NaN nor infinity.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals as nw
import pyarrow as pa
from pydantic import BaseModel, ValidationError

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.contracts.examples import Table, probes
from baton_handoff.contracts.frames import Frame, engine_of, from_rows
from baton_handoff.contracts.rows import said_of_rows
from baton_handoff.contracts.violations import ContractViolation, check

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

Cell: TypeAlias = tuple[int, str]
"""A row's position and a column."""

_MOMENT = "2024-06-15T12:00:00+00:00"
_EXTRA = "not_in_the_contract"
_ARROW = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "timestamp[UTC]": pa.timestamp("us", "UTC"),
}
_FOREIGN: tuple[list[Any], ...] = (
    *([None], [True, False], [0, 1], [0.5], [2**63], [10**400]),
    ["", "1", "0.5", "true", "null", "yesterday", "2024-06-15", "2024-06-15T12:00:00"],
)
"""Values by their type: to most columns they are of another."""


def rows_near(contract: Contract, accepted: Sequence[Mapping[str, Any]]) -> "SearchStrategy[Table]":
    """Accepted rows in which some columns hold values around their rules, or of another type.

    A column holds values of one type, so that there can be a table of them.

    Args:
        contract: The contract.
        accepted: A few rows that it accepts.
    """
    from hypothesis import strategies as st  # noqa: PLC0415 (one of the tools)

    rows: Table = json.loads(json.dumps(list(accepted), default=datetime.isoformat))
    columns = canonical_form(contract)["columns"]
    around = {name: _around(column, len(rows)) for name, column in columns.items()}
    names = st.sampled_from(sorted(columns))

    @st.composite
    def varied(draw: "DrawFn") -> Table:
        chosen = draw(st.just(list(columns)) | names.map(lambda name: [name]))
        values = {name: draw(around[name]) for name in chosen}
        if draw(st.integers(0, 20)) == 0:
            values[_EXTRA] = [1] * len(rows)
        left_out = {draw(names)} if draw(st.integers(0, 20)) == 0 else set()
        return [
            {
                name: value
                for name, value in (row | {n: v[place] for n, v in values.items()}).items()
                if name not in left_out
            }
            for place, row in enumerate(rows)
        ]

    return varied()


def disagreements(contract: Contract, request: type[BaseModel], rows: Table) -> list[str]:
    """What is accepted of rows in a request and refused in a table, or the other way round.

    Args:
        contract: The model's input contract.
        request: The generated model of a request.
        rows: The rows, as JSON has them.
    """
    in_request, served = _judged_as_request(contract, request, rows)
    in_table, accepted = _judged_as_table(contract, rows)
    # Rules that only the table's contract can say are the table's to check, in the service too.
    said = {*said_of_rows(contract), _EXTRA}
    different = (in_request - in_table) | {cell for cell in in_table - in_request if cell[1] in said}
    verdicts = {True: "accepted", False: "refused"}
    found = [
        f"rows[{row}].{name} = {rows[row].get(name, 'nothing')!r}:"
        f" {verdicts[(row, name) not in in_request]} in a request,"
        f" {verdicts[(row, name) not in in_table]} in a table"
        for row, name in sorted(different)
    ]
    if not found and served != accepted:
        return [f"{verdicts[served]} in a request, {verdicts[accepted]} in a table: {rows}"]
    return found


def _around(column: Mapping[str, Any], count: int) -> "SearchStrategy[list[Any]]":
    """As many values for a column: its own type on both sides of its rules, or one of any type."""
    from hypothesis import strategies as st  # noqa: PLC0415

    close, others = _of_type(column)
    # A column's integers and truth values can't be mixed with gaps.
    gaps = [] if column["type"] in ("integer", "boolean") else [None]
    own = [*close, *gaps]
    in_turn = st.integers(0, len(own) - 1).map(
        lambda first: [own[(first + place) % len(own)] for place in range(count)]
    )
    by_chance = st.lists(others | st.sampled_from(own), min_size=count, max_size=count)
    foreign = st.sampled_from(_FOREIGN).map(lambda values: (values * count)[:count])
    return st.one_of(in_turn, by_chance, foreign, foreign)


def _of_type(column: Mapping[str, Any]) -> "tuple[list[Any], SearchStrategy[Any]]":
    """Values of a column's type, on both sides of its rules and anywhere."""
    from hypothesis import strategies as st  # noqa: PLC0415

    known = [value for value in probes([column]) if value is not None]
    match column["type"]:
        case "integer":
            whole = [int(value) for value in known if _is_whole(value)]
            return [*whole, *map(float, whole)], st.integers(-(2**63), 2**63 - 1)
        case "number":
            numbers = [value for value in known if _is_number(value)]
            steps = [math.nextafter(v, end) for v in numbers for end in (-math.inf, math.inf)]
            finite = st.floats(allow_nan=False, allow_infinity=False)
            return numbers, st.sampled_from(steps) | finite
        case "boolean":
            return [True, False], st.booleans()
        case "string":
            texts = [value for value in known if isinstance(value, str)]
            varied = [v for text in texts for v in (text, text + "a", " " + text, text.lower())]
            return varied, st.text()
        case _:
            zones = st.sampled_from([timezone(timedelta(hours=hours)) for hours in (-14, 0, 14)])
            return [_MOMENT], st.datetimes(timezones=zones).map(datetime.isoformat)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return _is_number(value) and float(value).is_integer()


def _judged_as_request(
    contract: Contract, request: type[BaseModel], rows: Table
) -> tuple[set[Cell], bool]:
    """The cells that a request refuses, and whether the service would answer it."""
    try:
        body: Any = request.model_validate({"rows": rows})
    except ValidationError as refused:
        return {(int(error["loc"][1]), str(error["loc"][2])) for error in refused.errors()}, False
    try:
        check(contract, from_rows(contract, [row.model_dump() for row in body.rows]))
    except ContractViolation:
        return set(), False
    return set(), True


def _judged_as_table(contract: Contract, rows: Table) -> tuple[set[Cell], bool]:
    """The cells that a contract refuses of a table, and whether it accepts the table."""
    try:
        check(contract, _table(contract, rows))
    except ContractViolation as violation:
        return {
            (row, broken.column)
            for broken in violation.violations
            if broken.column is not None
            for row in broken.rows or range(len(rows))
        }, False
    return set(), True


def _table(contract: Contract, rows: Table) -> Frame:
    """A table whose columns have the types of their values, not those of the contract."""
    columns = canonical_form(contract)["columns"]
    arrays = {
        name: _array([row[name] for row in rows], columns.get(name, {}).get("type", "integer"))
        for name in rows[0]
    }
    table = nw.from_arrow(pa.table(arrays), backend=engine_of(contract))
    native: Frame = table.to_native()
    return native


def _array(values: Sequence[Any], kind: str) -> pa.Array:
    if all(value is None for value in values):
        return pa.nulls(len(values), _ARROW[kind])
    try:
        return pa.array([_in_json(value, kind) for value in values])
    except (OverflowError, ValueError, pa.ArrowException):
        return pa.array([date.min] * len(values))  # what no column holds: no API has dates


def _in_json(value: Any, kind: str) -> Any:
    """A value of JSON as what it means in a column: it has one kind of number, and no moments."""
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "number" and _is_number(value):
        return float(value)
    if kind == "timestamp[UTC]" and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return moment.astimezone(UTC) if moment.tzinfo else value
    return value
