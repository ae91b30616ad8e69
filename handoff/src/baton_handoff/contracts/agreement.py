"""Property tests for projects: row models and contracts accept the same rows.

The values are those that JSON has: 40.0 is an integer, a timestamp is a text, and there is neither
NaN nor infinity.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.contracts.examples import Table, probes
from baton_handoff.contracts.frames import from_json, from_rows, is_number
from baton_handoff.contracts.row_models import columns_checked_by_row
from baton_handoff.contracts.validation import ContractViolation, check

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_EXTRA = "not_in_the_contract"
_OTHER_TYPES: tuple[list[Any], ...] = (
    *([None], [True, False], [0, 1], [0.5], [2**63], [10**400]),
    ["", "1", "0.5", "true", "null", "yesterday", "2024-06-15", "2024-06-15T12:00:00"],
)
"""Values, one type in each list; most columns have another type."""


def rows_around(contract: Contract, accepted: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """Yield accepted rows with values on both sides of every rule, and of other types."""
    rows = _as_json(accepted)
    columns = canonical_form(contract)["columns"]
    own = {name: _own_values(column) for name, column in columns.items()}
    for first in range(0, max(map(len, own.values())), len(rows)):
        yield _with(rows, {name: values[first % len(values) :] for name, values in own.items()})
    for values in _OTHER_TYPES:
        yield _with(rows, dict.fromkeys(columns, values))
    numeric = [name for name, c in columns.items() if c["type"] in ("integer", "number", "boolean")]
    yield _with(rows, {name: [str(row[name] or 0) for row in rows] for name in numeric})
    for kept in (list(rows[0])[::2], list(rows[0])[1::2]):
        yield [{name: row[name] for name in kept} for row in rows]
    yield _with(rows, {_EXTRA: [1]})


def rows_beside(contract: Contract, accepted: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """Yield accepted rows with another value in one column, on both sides of its rules."""
    columns = canonical_form(contract)["columns"]
    for row in _as_json(accepted):
        for name, column in columns.items():
            yield [row | {name: value} for value in _own_values(column)]


def rows_near(contract: Contract, accepted: Sequence[Mapping[str, Any]]) -> "SearchStrategy[Table]":
    """Return a strategy of accepted rows with any values of their type in one or all columns."""
    from hypothesis import strategies as st  # noqa: PLC0415 - part of the tools

    zones = st.sampled_from([timezone(timedelta(hours=hours)) for hours in (-14, 0, 14)])
    by_type = {
        "integer": st.integers(-(2**63), 2**63 - 1),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "string": st.text(),
        "timestamp[UTC]": st.datetimes(timezones=zones).map(datetime.isoformat),
    }
    rows = _as_json(accepted)
    lists: dict[str, SearchStrategy[list[Any]]] = {}
    for name, column in canonical_form(contract)["columns"].items():
        values = st.sampled_from(_own_values(column)) | by_type[column["type"]]
        lists[name] = st.lists(values, min_size=len(rows), max_size=len(rows))
    one_column = st.sampled_from(sorted(lists)).flatmap(
        lambda name: st.fixed_dictionaries({name: lists[name]})
    )
    return (one_column | st.fixed_dictionaries(lists)).map(lambda values: _with(rows, values))


def disagreements(contract: Contract, request: type[BaseModel], rows: Table) -> list[str]:
    """Return the values that a request accepts and a table refuses, or the reverse."""
    refused_in_request: set[tuple[int, str]] = set()
    refused_in_table: set[tuple[int, str]] = set()
    request_accepted = table_accepted = True
    try:
        body: Any = request.model_validate({"rows": rows})
        # The service validates the table, too: for rules that no single row can violate.
        check(contract, from_rows(contract, [row.model_dump() for row in body.rows]))
    except ValidationError as error:
        request_accepted = False
        refused_in_request = {(int(e["loc"][1]), str(e["loc"][2])) for e in error.errors()}
    except ContractViolation:
        request_accepted = False
    try:
        check(contract, from_json(contract, rows))
    except ContractViolation as violated:
        table_accepted = False
        refused_in_table = {
            (row, violation.column)
            for violation in violated.violations
            if violation.column is not None
            for row in violation.rows or range(len(rows))
        }
    checked = {*columns_checked_by_row(contract), _EXTRA}
    different = (refused_in_request - refused_in_table) | {
        cell for cell in refused_in_table - refused_in_request if cell[1] in checked
    }
    answers = {True: "refused", False: "accepted"}
    found = [
        f"rows[{row}].{name} = {rows[row].get(name, 'nothing')!r}:"
        f" {answers[(row, name) in refused_in_request]} in a request,"
        f" {answers[(row, name) in refused_in_table]} in a table"
        for row, name in sorted(different)
    ]
    if not found and request_accepted != table_accepted:
        in_request, in_table = answers[not request_accepted], answers[not table_accepted]
        return [f"{in_request} in a request, {in_table} in a table: {rows}"]
    return found


def _as_json(rows: Sequence[Mapping[str, Any]]) -> Table:
    table: Table = json.loads(json.dumps(list(rows), default=datetime.isoformat))
    return table


def _with(rows: Table, values: Mapping[str, Sequence[Any]]) -> Table:
    """Return the rows with other values in some columns; too few values are repeated."""
    return [
        row | {name: column[place % len(column)] for name, column in values.items()}
        for place, row in enumerate(rows)
    ]


def _own_values(column: Mapping[str, Any]) -> list[Any]:
    """Return values of a column's type on both sides of its rules."""
    known = [value for value in probes([column]) if value is not None]
    numbers = [value for value in known if is_number(value)]
    match column["type"]:
        # A table's integers and booleans can't be mixed with missing values.
        case "integer":
            whole = [int(value) for value in numbers if float(value).is_integer()]
            return [*whole, *map(float, whole)]
        case "boolean":
            return [True, False]
        case "number":
            ends = (-math.inf, math.inf)
            return [None, *numbers, *(math.nextafter(v, end) for v in numbers for end in ends)]
        case "string":
            texts = [value for value in known if isinstance(value, str)]
            close = [v for t in texts[:2] for v in (t + "a", " " + t, t.lower(), t[:-1])]
            return [None, *texts, *close]
        case _:
            return [None, *known]
