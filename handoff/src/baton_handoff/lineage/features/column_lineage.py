"""Column lineage by experiment: change one column of the golden rows, see which features change.

The golden rows pass through the features of the project, first as they are and then with the values
of one column changed. A feature that changes comes from that column. A column without an effect on
these rows is not found, nor are columns that act only together. A change that the code rejects, or
that changes the number of rows, tells nothing.
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
from baton_handoff.contracts.frames import Frame, from_rows, to_rows
from baton_handoff.contracts.validation import accepts_rows
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.features.interfaces import Derivation

Origin: TypeAlias = tuple[Contract, str]
"""A contract and one of its columns."""

_Columns: TypeAlias = dict[str, list[Any]]


def origins_of(derivation: Derivation, golden: Sequence[Row]) -> dict[str, tuple[Origin, ...]]:
    """The columns that each feature comes from.

    Returns:
        The origins of each feature, first those that affect the fewest features. A feature whose
        values differ between two runs on the same rows is left out.

    Raises:
        HandoffError: There are no golden rows for one of the tables.
    """
    rows = {contract: _golden_rows(contract, golden) for contract in derivation.base_contracts}
    affected: dict[Origin, set[str]] = {}
    # Changed columns may be outside their ranges and not fit each other, so only types are checked.
    with warnings.catch_warnings(), config_context(validation_depth=ValidationDepth.SCHEMA_ONLY):
        warnings.simplefilter("ignore")
        tables = {contract: from_rows(contract, rows[contract]) for contract in rows}
        cache: dict[Derivation, Any] = {}
        # A second run finds features that are random, which differ without any change.
        original = _columns(_make(derivation, tables, cache))
        again = _columns(_make(derivation, tables, {}))
        steady = [name for name in original if original[name] == again.get(name)]
        for contract, column, table in _changed_tables(rows):
            unaffected = {d: made for d, made in cache.items() if contract not in d.base_contracts}
            try:
                made = _make(derivation, {**tables, contract: table}, unaffected)
            except Exception:  # noqa: BLE001, S112  the project's code may raise anything
                continue
            changed = _columns(made)
            affected.setdefault((contract, column), set()).update(
                name
                for name in steady
                if name in changed
                and len(changed[name]) == len(original[name])
                and changed[name] != original[name]
            )
    origins = sorted(affected, key=lambda origin: len(affected[origin]))
    return {name: tuple(o for o in origins if name in affected[o]) for name in steady}


def _golden_rows(contract: Contract, golden: Sequence[Row]) -> list[Row]:
    """The golden rows that a contract accepts, without repetitions."""
    columns = contract.to_schema().columns
    required = {name for name, column in columns.items() if column.required}
    cut = [{n: row[n] for n in columns if n in row} for row in golden if required.issubset(row)]
    rows = list({json.dumps(row, sort_keys=True): row for row in cut}.values())
    if rows and not accepts_rows(contract, rows):
        rows = [row for row in rows if accepts_rows(contract, [row])]
    if not rows:
        raise HandoffError(f"`tests/golden/` has no row that {contract.__name__} accepts")
    return rows


def _changed_tables(rows: Mapping[Contract, list[Row]]) -> Iterator[tuple[Contract, str, Frame]]:
    """Each table with one of its columns changed, in several ways."""
    for contract, table in rows.items():
        for name, column in canonical_form(contract)["columns"].items():
            for values in _other_values(column, [row.get(name) for row in table]):
                pairs = zip(table, values, strict=True)
                try:
                    changed = from_rows(contract, [row | {name: v} for row, v in pairs])
                except Exception:  # noqa: BLE001, S112  a type for which no value can be guessed
                    continue
                yield contract, name, changed


def _other_values(column: Mapping[str, Any], values: list[Any]) -> Iterator[list[Any]]:
    """Other values for a column: those of its other rows, and values that its rules allow."""
    # Rotating keeps each value legal and the set of values the same.
    yield [*values[1:], values[0]]
    legal = [*accepted_values(column), *([None] if column["nullable"] else [])]
    for first in {0, len(legal) // 2}:
        rotated = itertools.cycle([*legal[first:], *legal[:first]])
        yield list(itertools.islice(rotated, len(values)))


def _make(
    derivation: Derivation, tables: Mapping[Contract, Frame], cache: dict[Derivation, Any]
) -> Any:
    """Make a table; the result of each step is kept in the cache."""
    if derivation not in cache:
        if derivation.interface is None:
            cache[derivation] = tables[derivation.type.contract]
        else:
            inputs = [_make(step, tables, cache) for step in derivation.inputs]
            cache[derivation] = derivation.interface(inputs)
    # A function that adds columns in place must not change the table of another one.
    return copy.copy(cache[derivation])


def _columns(table: Frame) -> _Columns:
    rows = to_rows(table)
    return {name: [row[name] for row in rows] for name in table.columns}
