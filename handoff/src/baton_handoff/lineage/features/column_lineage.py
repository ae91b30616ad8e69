"""Where a feature comes from, found out by experiment: a column changes, who changes with it?

Golden rows go through the project's own features once as they are, and again with the values of one
column changed. A feature that is another one then comes from that column. What makes no difference
in those rows is not seen, nor what only several columns together change; a change that the code
refuses, or after which there are more rows or fewer, tells nothing about one feature.
"""

import copy
import itertools
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from pandera.config import ValidationDepth, config_context

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.contracts.examples import Row, accepted_values
from baton_handoff.contracts.frames import Frame, to_rows
from baton_handoff.contracts.isolated_reader import accepts_rows, from_plain_rows
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.features.interfaces import Derivation

Origin: TypeAlias = tuple[Contract, str]
"""A table's contract and the column of it."""

_Columns: TypeAlias = dict[str, list[Any]]


def origins_of(way: Derivation, known: Sequence[Row]) -> dict[str, tuple[Origin, ...]]:
    """The columns that each feature comes from; those from which the fewest do stand first.

    Args:
        way: How the table of features is made.
        known: Golden rows of the tables that it begins with.

    Returns:
        The columns of each feature; a feature is missing that is another one every time.

    Raises:
        HandoffError: There are no golden rows for one of the tables.
    """
    rows = {contract: _rows(contract, known) for contract in way.begins_with}
    moved: dict[Origin, set[str]] = {}
    # Values that do not occur together are warned of, and ranges would refuse them.
    with warnings.catch_warnings(), config_context(validation_depth=ValidationDepth.SCHEMA_ONLY):
        warnings.simplefilter("ignore")
        tables = {contract: from_plain_rows(contract, rows[contract]) for contract in rows}
        done: dict[Derivation, Any] = {}
        before, again = _columns(_made(way, tables, done)), _columns(_made(way, tables, {}))
        steady = [name for name in before if before[name] == again.get(name)]
        for contract, name, table in _changed_tables(rows):
            others = {step: made for step, made in done.items() if contract not in step.begins_with}
            after = _after(way, {**tables, contract: table}, others)
            found = {feature for feature in steady if _differs(feature, before, after)}
            moved[contract, name] = moved.get((contract, name), set()) | found
    few_first = sorted(moved, key=lambda origin: len(moved[origin]))
    return {f: tuple(origin for origin in few_first if f in moved[origin]) for f in steady}


def _rows(contract: Contract, known: Sequence[Row]) -> list[Row]:
    """The golden rows of a contract, each once."""
    columns = contract.to_schema().columns
    needed = {name for name, column in columns.items() if column.required}
    cut = [{n: row[n] for n in columns if n in row} for row in known if needed.issubset(row)]
    rows = list({json.dumps(row, sort_keys=True): row for row in cut}.values())
    if rows and not accepts_rows(contract, rows):
        rows = [row for row in rows if accepts_rows(contract, [row])]
    if not rows:
        raise HandoffError(f"`tests/golden/` has no row that {contract.__name__} accepts")
    return rows


def _changed_tables(rows: Mapping[Contract, list[Row]]) -> Iterator[tuple[Contract, str, Frame]]:
    """Every table with one of its columns changed, in several ways."""
    for contract, table in rows.items():
        for name, column in canonical_form(contract)["columns"].items():
            for values in _other_values(column, [row.get(name) for row in table]):
                pairs = zip(table, values, strict=True)
                try:
                    changed = from_plain_rows(contract, [row | {name: v} for row, v in pairs])
                except Exception:  # noqa: BLE001, S112  a type that rules say little about
                    continue
                yield contract, name, changed


def _other_values(column: Mapping[str, Any], values: list[Any]) -> Iterator[list[Any]]:
    """Other values for a column: those of its other rows, and such as its rules suggest."""
    yield [*values[1:], values[0]]
    legal = [*accepted_values(column), *([None] if column["nullable"] else [])]
    for first in {0, len(legal) // 2}:
        turned = itertools.cycle([*legal[first:], *legal[:first]])
        yield list(itertools.islice(turned, len(values)))


def _after(
    way: Derivation, tables: Mapping[Contract, Frame], done: dict[Derivation, Any]
) -> _Columns:
    """The features of changed tables, none if the project's code refuses them."""
    try:
        return _columns(_made(way, tables, done))
    except Exception:  # noqa: BLE001  whatever it raises
        return {}


def _made(way: Derivation, tables: Mapping[Contract, Frame], done: dict[Derivation, Any]) -> Any:
    """What a way leads to; each step is remembered in `done`."""
    if way not in done:
        if way.interface is None:
            done[way] = tables[way.kind.contract]
        else:
            done[way] = way.interface([_made(step, tables, done) for step in way.inputs])
    # Nobody's columns are added to what others are given.
    return copy.copy(done[way])


def _columns(table: Frame) -> _Columns:
    rows = to_rows(table)
    return {name: [row[name] for row in rows] for name in table.columns}


def _differs(name: str, before: _Columns, after: _Columns) -> bool:
    other = after.get(name)
    return other is not None and len(other) == len(before[name]) and other != before[name]
