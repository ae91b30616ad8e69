"""Rows and tables of the same values are judged alike: what a property test needs to ask that.

The values are those that JSON has: 40.0 is a whole number there, a moment is a text, and there is
neither NaN nor infinity.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel, ValidationError

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.contracts.examples import Table, probes
from baton_handoff.contracts.frames import from_json, from_rows, is_number
from baton_handoff.contracts.row_models import columns_checked_by_row
from baton_handoff.contracts.validation import ContractViolation, check

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Cell: TypeAlias = tuple[int, str]
"""A row's position and a column."""

_EXTRA = "not_in_the_contract"
_FOREIGN: tuple[list[Any], ...] = (
    *([None], [True, False], [0, 1], [0.5], [2**63], [10**400]),
    ["", "1", "0.5", "true", "null", "yesterday", "2024-06-15", "2024-06-15T12:00:00"],
)
"""Values by their type: to most columns they are of another."""


def rows_around(contract: Contract, accepted: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """Accepted rows whose columns go through both sides of all their rules, and other types.

    Args:
        contract: The contract.
        accepted: A few rows that it accepts.
    """
    rows = _plain(accepted)
    columns = canonical_form(contract)["columns"]
    own = {name: _own_values(column) for name, column in columns.items()}
    for first in range(0, max(map(len, own.values())), len(rows)):
        yield _with(rows, {name: values[first % len(values) :] for name, values in own.items()})
    for foreign in _FOREIGN:
        yield _with(rows, dict.fromkeys(columns, foreign))
    numeric = [name for name, c in columns.items() if c["type"] in ("integer", "number", "boolean")]
    yield _with(rows, {name: [str(row[name] or 0) for row in rows] for name in numeric})
    for kept in (list(rows[0])[::2], list(rows[0])[1::2]):
        yield [{name: row[name] for name in kept} for row in rows]
    yield _with(rows, {_EXTRA: [1]})


def rows_near(contract: Contract, accepted: Sequence[Mapping[str, Any]]) -> "SearchStrategy[Table]":
    """Accepted rows in which one column, or every column, holds any values of its type.

    Args:
        contract: The contract.
        accepted: A few rows that it accepts.
    """
    from hypothesis import strategies as st  # noqa: PLC0415 (one of the tools)

    rows = _plain(accepted)
    columns = canonical_form(contract)["columns"]
    lists = {
        name: st.lists(_any_value(column), min_size=len(rows), max_size=len(rows))
        for name, column in columns.items()
    }
    one = st.sampled_from(sorted(columns)).flatmap(
        lambda name: st.fixed_dictionaries({name: lists[name]})
    )
    return (one | st.fixed_dictionaries(lists)).map(lambda values: _with(rows, values))


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
    said = {*columns_checked_by_row(contract), _EXTRA}
    different = (in_request - in_table) | {
        cell for cell in in_table - in_request if cell[1] in said
    }
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


def _plain(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Rows as JSON has them."""
    plain: Table = json.loads(json.dumps(list(rows), default=datetime.isoformat))
    return plain


def _with(rows: Table, values: Mapping[str, Sequence[Any]]) -> Table:
    """The rows with other values in some columns, which begin again where there are too few."""
    return [
        row | {name: column[place % len(column)] for name, column in values.items()}
        for place, row in enumerate(rows)
    ]


def _own_values(column: Mapping[str, Any]) -> list[Any]:
    """Values of a column's type on both sides of its rules."""
    known = [value for value in probes([column]) if value is not None]
    match column["type"]:
        # A table's integers and truth values can't be mixed with gaps.
        case "integer":
            whole = [int(value) for value in known if _is_whole(value)]
            return [*whole, *map(float, whole)]
        case "boolean":
            return [True, False]
        case "number":
            numbers = [value for value in known if is_number(value)]
            ends = (-math.inf, math.inf)
            return [None, *numbers, *(math.nextafter(v, end) for v in numbers for end in ends)]
        case "string":
            texts = [value for value in known if isinstance(value, str)]
            close = [v for t in texts[:2] for v in (t + "a", " " + t, t.lower(), t[:-1])]
            return [None, *texts, *close]
        case _:
            return [None, *known]


def _any_value(column: Mapping[str, Any]) -> "SearchStrategy[Any]":
    """Values of a column's type, wherever its rules are."""
    from hypothesis import strategies as st  # noqa: PLC0415

    zones = st.sampled_from([timezone(timedelta(hours=hours)) for hours in (-14, 0, 14)])
    own = {
        "integer": st.integers(-(2**63), 2**63 - 1),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "string": st.text(),
        "timestamp[UTC]": st.datetimes(timezones=zones).map(datetime.isoformat),
    }
    return st.sampled_from(_own_values(column)) | own[column["type"]]


def _is_whole(value: Any) -> bool:
    return is_number(value) and float(value).is_integer()


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
        check(contract, from_json(contract, rows))
    except ContractViolation as violation:
        return {
            (row, broken.column)
            for broken in violation.violations
            if broken.column is not None
            for row in broken.rows or range(len(rows))
        }, False
    return set(), True
