"""Read tables of people: in the types that their values show, or as a contract describes them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.contracts.column_values import infer_columns, parse_column
from baton_handoff.contracts.frames import ARROW
from baton_handoff.contracts.raw_tables import error_line, open_table
from baton_handoff.contracts.table_format import (
    ColumnFormat,
    ColumnFormats,
    FileFormat,
    column_formats,
    file_format,
)
from baton_handoff.contracts.table_joins import Join, join_table, unmatched
from baton_handoff.core.errors import HandoffError


def read_source(
    file: Path,
    contract: Contract,
    columns: ColumnFormats,
    joined: Sequence[Mapping[str, Any]] = (),
    written: Mapping[str, Any] | FileFormat | None = None,
) -> pa.Table:
    """Read the columns of a contract, in its names and types. The values are not validated.

    Args:
        file: The file.
        contract: A contract of plain types.
        columns: How columns are written, as `source.columns` of params.yaml states it; a text is
            only a column's name in the file.
        joined: Further tables to join, as `source.joined` of params.yaml lists them.
        written: How the file is written, as `source.format` states it; without it, it is found out.

    Raises:
        HandoffError: A file can't be read or joined, lacks a column or holds other types.
    """
    described = canonical_form(contract)["columns"]
    formats = column_formats(columns)
    raw = with_joined(open_table(file, file_format(written, file)).columns, Join.all_of(joined))
    formats = {name: formats.get(name, ColumnFormat()) for name in contract.to_schema().columns}
    called = {name: name if form.name is None else form.name for name, form in formats.items()}
    missing = ", ".join(repr(name) for name in called.values() if name not in raw.column_names)
    if missing:
        raise HandoffError(f"{file} lacks columns of {contract.__name__}: {missing}.")
    arrays = {}
    for name, form in formats.items():
        kind = described[name]["type"]
        values, wrong = parse_column(raw[called[name]], kind, form)
        if len(wrong):
            row = wrong[0].as_py()
            example = raw[called[name]][row].as_py()
            raise HandoffError(
                f"Column {called[name]!r} of {file} is not of type {kind}: {len(wrong):,} of"
                f" {len(raw):,} values can't be read, the first is {example!r} in row {row + 1}."
            )
        try:
            arrays[name] = pc.cast(values, ARROW[kind])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise HandoffError(
                f"Column {called[name]!r} of {file} is not of type {kind}: {error_line(error)}"
            ) from error
    return pa.table(arrays)


def read_table(file: Path) -> pa.Table:
    """Read a file, in the types that its values show.

    Numbers become int64 or float64, text string, dates and timestamps a timestamp in UTC; without a
    time zone they count as UTC.

    Args:
        file: The file; its suffix is its format.

    Raises:
        HandoffError: There is no such file, it can't be read, or a column has another type.
    """
    raw = open_table(file, file_format(None, file)).columns
    found = infer_columns(raw)
    return pa.table({name: column.values for name, column in found.items()})


def with_joined(columns: pa.Table, joins: Iterable[Join]) -> pa.Table:
    """Join further tables to the columns of a file, which stay as the files have them.

    Raises:
        HandoffError: A file can't be read or joined.
    """
    for join in joins:
        other = open_table(join.file, join.written).columns
        columns = join_table(_keyed(columns, join), _keyed(other, join), join)
    return columns


def unmatched_rows(columns: pa.Table, join: Join) -> int:
    """How many rows of a table have no row of their keys in the table to join."""
    other = open_table(join.file, join.written).columns
    return unmatched(_keyed(columns, join), _keyed(other, join), join)


def _keyed(columns: pa.Table, join: Join) -> pa.Table:
    """Return a table with its keys in their types, so that 1 and 1.0 are equal."""
    known = [name for name in join.keys if name in columns.column_names]
    keys = infer_columns(columns.select(known))
    arrays = {
        name: keys[name].values if name in keys else values
        for name, values in zip(columns.column_names, columns.columns, strict=True)
    }
    # Arrow joins no columns of nulls only.
    return pa.table(
        {n: pc.cast(v, pa.string()) if pa.types.is_null(v.type) else v for n, v in arrays.items()}
    )
