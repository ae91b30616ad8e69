"""Read a CSV, Parquet or Excel file as an Arrow table of plain types."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from baton_handoff.contracts.canonical import Contract, canonical_form
from baton_handoff.contracts.frames import ARROW
from baton_handoff.contracts.table_joins import Join, join_table
from baton_handoff.core.errors import HandoffError


def read_source(
    file: Path,
    contract: Contract,
    columns: Mapping[str, str],
    joined: Sequence[Mapping[str, Any]] = (),
) -> pa.Table:
    """Read the columns of a contract, in its names and types. The values are not validated.

    Args:
        file: The file.
        contract: A contract of plain types.
        columns: A column's name in the file, where it differs from the contract's.
        joined: Further tables to join, as `source.joined` of params.yaml lists them.

    Raises:
        HandoffError: A file can't be read or joined, lacks a column or holds other types.
    """
    described = canonical_form(contract)["columns"]
    types = {name: ARROW[described[name]["type"]] for name in contract.to_schema().columns}
    called = {name: columns.get(name, name) for name in types}
    texts = [called[name] for name, kind in types.items() if kind == pa.string()]
    table = read_table(file, texts)
    for join in Join.all_of(joined):
        table = join_table(table, read_table(join.file, texts), join)
    missing = ", ".join(repr(name) for name in called.values() if name not in table.column_names)
    if missing:
        raise HandoffError(f"{file} lacks columns of {contract.__name__}: {missing}.")
    arrays = {}
    for name, kind in types.items():
        try:
            arrays[name] = pc.cast(table[called[name]], kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            wanted = described[name]["type"]
            raise HandoffError(
                f"Column {called[name]!r} of {file} is not of type {wanted}: {_line(error)}"
            ) from error
    return pa.table(arrays)


def read_table(file: Path, texts: Collection[str] = ()) -> pa.Table:
    """Read a CSV, Parquet or Excel file (its first sheet).

    Numbers become int64 or float64, text string, dates and timestamps a timestamp in UTC; without a
    time zone they count as UTC.

    Args:
        file: The file; its suffix is its format.
        texts: The columns of a CSV file that stay text, even if all values look like numbers.

    Raises:
        HandoffError: There is no such file, it can't be read, or a column has another type.
    """
    if file.suffix.lower() not in _READERS:
        raise HandoffError(f"{file} is not a table that can be read: use {', '.join(_READERS)}.")
    if not file.is_file():
        raise HandoffError(f"There is no file {file}.")
    try:
        table = _READERS[file.suffix.lower()](file, texts)
        names = table.column_names
    except HandoffError:
        raise
    except Exception as error:  # each reader raises its own kinds
        raise HandoffError(f"{file} can't be read as {file.suffix}: {_line(error)}") from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise HandoffError(f"{file} has more than one column {twice[0]!r}: rename one.")
    return pa.table({name: _plain(file, name, table[name]) for name in names})


def whole(values: pa.ChunkedArray) -> bool:
    """Whether all numbers are present and integers."""
    return values.null_count == 0 and bool(pc.all(pc.equal(values, pc.floor(values))).as_py())


def _read_csv(file: Path, texts: Collection[str]) -> pa.Table:
    with file.open(encoding="utf-8") as lines:
        header = lines.readline()
    table = csv.read_csv(
        file,
        # The most frequent separator of the header: some countries use semicolons.
        parse_options=csv.ParseOptions(delimiter=max(",;\t|", key=header.count)),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(texts, pa.string()), strings_can_be_null=True
        ),
    )
    if any(pa.types.is_binary(column.type) for column in table.schema):
        raise HandoffError(f"{file} is not text in UTF-8: save it in that encoding.")
    return table


def _read_parquet(file: Path, _: Collection[str]) -> pa.Table:
    return parquet.read_table(file)


def _read_excel(file: Path, _: Collection[str]) -> pa.Table:
    # Only projects that start from a table have it.
    import fastexcel  # noqa: PLC0415

    workbook = fastexcel.read_excel(file)
    # With a header the reader would rename repeated columns; so read it as a row.
    header = workbook.load_sheet(0, header_row=None, n_rows=1).to_arrow().to_pylist()
    if not header:
        raise HandoffError(f"{file} has nothing on its first sheet.")
    table = pa.table(workbook.load_sheet(0).to_arrow())
    # Excel has no integers.
    numbers = [column.name for column in table.schema if pa.types.is_floating(column.type)]
    for name in numbers:
        if whole(table[name]):
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, pc.cast(table[name], pa.int64()))
    return table.rename_columns([str(name or "") for name in header[0].values()])


_READERS: dict[str, Callable[[Path, Collection[str]], pa.Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".xlsx": _read_excel,
    ".xls": _read_excel,
}


def _plain(file: Path, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    kind, is_ = values.type, pa.types
    if is_.is_dictionary(kind):
        kind = kind.value_type
        values = pc.cast(values, kind)
    if is_.is_integer(kind):
        return pc.cast(values, pa.int64())
    if is_.is_floating(kind) or is_.is_decimal(kind):
        numbers = pc.cast(values, pa.float64())
        return pc.if_else(pc.is_nan(numbers), None, numbers)
    if is_.is_string(kind) or is_.is_large_string(kind) or is_.is_time(kind):
        return pc.cast(values, pa.string())
    if is_.is_date(kind) or is_.is_timestamp(kind):
        zoned = is_.is_timestamp(kind) and kind.tz is not None
        return pc.cast(
            pc.cast(values, pa.timestamp("us", kind.tz if zoned else None)), ARROW["timestamp[UTC]"]
        )
    if is_.is_boolean(kind) or is_.is_null(kind):
        return values
    raise HandoffError(f"Column {name!r} of {file} has a type without a contract: {kind}.")


def _line(error: Exception) -> str:
    """Return the first line of an error, as the end of a sentence."""
    return str(error).strip().partition("\n")[0].rstrip(".") + "."
