"""The table in a file as the file has it: CSV, JSON lines, Parquet or a workbook."""

import gzip
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, json, parquet

from baton_handoff.contracts.frames import ARROW
from baton_handoff.contracts.table_format import FileFormat
from baton_handoff.contracts.text_files import decoded, find_header, from_line, sniff
from baton_handoff.core.errors import HandoffError

_TEXTS = (".csv", ".tsv", ".txt")
_LINES = (".jsonl", ".ndjson")
_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_COMPRESSED = ".gz"


@dataclass(frozen=True)
class RawTable:
    """A table as its file has it.

    Attributes:
        file: The file.
        columns: The columns by their names in the file: text as it is, all else in plain types.
        format: How the file is written.
        other_sheets: The sheets of the workbook that were not read.
        repeated: The columns whose name the file has more than once; each has a number added.
        unusable: The columns that were not read, because no contract has their type, and this type.
    """

    file: Path
    columns: pa.Table
    format: FileFormat
    other_sheets: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    unusable: Mapping[str, str] = field(default_factory=dict)


def open_table(
    file: Path,
    written: FileFormat | None = None,
    *,
    encoding: str = "",
    sheet: str = "",
    column: str = "",
) -> RawTable:
    """Read the table in a file, with text as it is.

    Args:
        file: The file; its suffix is its format.
        written: How it is written, None to find it out.
        encoding: The encoding, empty to find it out.
        sheet: The sheet of a workbook; empty for the first one with the column, or with rows.
        column: A column that the table should have.

    Raises:
        HandoffError: There is no such file, it can't be read, or no contract has the type of the
            column or of any other one.
    """
    suffix = Path(file.name.lower().removesuffix(_COMPRESSED)).suffix
    if suffix not in (*_READERS, *_WORKBOOKS):
        raise HandoffError(
            f"{file} is not a table that can be read: use"
            f" {', '.join((*_READERS, *_WORKBOOKS))}; text may be compressed, .csv.gz."
        )
    if not file.is_file():
        raise HandoffError(f"There is no file {file}.")
    try:
        if suffix in _WORKBOOKS:
            raw = _read_workbook(file, written, sheet, column)
        else:
            raw = _READERS[suffix](file, written, encoding)
    except HandoffError:
        raise
    except Exception as error:  # each reader raises its own kinds
        raise HandoffError(f"{file} can't be read as {suffix}: {error_line(error)}") from error
    table = raw.columns
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()  # user.city is a column of its own
    unique, repeated = _unique([str(name) for name in table.column_names])
    plain = {name: _plain(values) for name, values in zip(unique, table.columns, strict=True)}
    kinds = dict(zip(unique, map(str, table.schema.types), strict=True))
    unusable = {name: kinds[name] for name, values in plain.items() if values is None}
    if column in unusable or (unusable and plain.keys() - unusable.keys() <= {column}):
        name = column if column in unusable else next(iter(unusable))
        raise HandoffError(
            f"Column {name!r} of {file} has a type without a contract, {unusable[name]}: write its"
            " values in columns of their own."
        )
    columns = pa.table({name: values for name, values in plain.items() if values is not None})
    return RawTable(file, columns, raw.format, raw.other_sheets, repeated, unusable)


def file_lines(raw: RawTable) -> list[str]:
    """Return what a person has to know about how a file was read, one line for each fact."""
    found, lines = raw.format, []
    suffix = Path(raw.file.name.lower().removesuffix(_COMPRESSED)).suffix
    if suffix in (*_TEXTS, *_LINES) and found.encoding not in ("utf-8", "utf-8-sig"):
        lines.append(
            f"Encoding: {found.encoding}{_example(raw)}; name another one with --encoding."
        )
    if suffix in _TEXTS and found.separator != ",":
        sign = {"\t": "a tab", ";": "a semicolon", "|": "|"}.get(found.separator)
        lines.append(f"Columns are separated by {sign or repr(found.separator)}.")
    if found.header > 1:
        line = "line" if suffix in _TEXTS else "row"
        lines.append(
            f"The names of the columns are in {line} {found.header}; nothing above is read."
        )
    if raw.other_sheets:
        others = ", ".join(map(repr, raw.other_sheets))
        lines.append(
            f"Sheet {found.sheet!r} is read, not {others}: choose another one with --sheet."
        )
    lines += [
        f"Column {name!r} is left out, because no contract has its type {kind}."
        for name, kind in raw.unusable.items()
    ]
    return lines + [
        f"Several columns are called {name!r}: the second one is {name + ' (2)'!r} here."
        for name in raw.repeated
    ]


def _example(raw: RawTable) -> str:
    """Return a text that shows whether the encoding is the right one."""
    texts = [column for column in raw.columns.columns if pa.types.is_string(column.type)]
    cells = (str(cell) for column in texts for cell in pc.unique(column.slice(0, 1000)).to_pylist())
    for text in (*raw.columns.column_names, *cells):
        if not text.isascii():
            return f", so that it reads {text[:30]!r}"
    return ""


def error_line(error: Exception) -> str:
    """Return the first line of an error, as the end of a sentence."""
    return str(error).strip().partition("\n")[0].rstrip(".") + "."


def whole(values: pa.ChunkedArray) -> bool:
    """Whether all numbers are present and integers."""
    return values.null_count == 0 and bool(pc.all(pc.equal(values, pc.floor(values))).as_py())


def _bytes(file: Path) -> bytes:
    content = file.read_bytes()
    return gzip.decompress(content) if file.name.lower().endswith(_COMPRESSED) else content


def _read_text(file: Path, written: FileFormat | None, encoding: str) -> RawTable:
    text, encoding = decoded(file, _bytes(file), written.encoding if written else encoding)
    if not text.strip():
        raise HandoffError(f"{file} can't be read: it is empty.")
    if written is None:
        separator, header = sniff(text)
        written = FileFormat(encoding=encoding, separator=separator, header=header)
    table = csv.read_csv(
        BytesIO(from_line(text, written.header).encode()),
        # A row may be long, and has to fit into a block.
        read_options=csv.ReadOptions(autogenerate_column_names=True, block_size=1 << 26),
        parse_options=csv.ParseOptions(delimiter=written.separator, newlines_in_values='"' in text),
        convert_options=csv.ConvertOptions(
            column_types={f"f{n}": pa.string() for n in range(10_000)}, strings_can_be_null=False
        ),
    )
    names = [table.column(n)[0].as_py() for n in range(table.num_columns)]
    return RawTable(file, table.slice(1).rename_columns(names), written)


def _read_lines(file: Path, written: FileFormat | None, encoding: str) -> RawTable:
    text, encoding = decoded(file, _bytes(file), written.encoding if written else encoding)
    table = json.read_json(BytesIO(text.encode()), json.ReadOptions(block_size=1 << 26))
    return RawTable(file, table, written or FileFormat(encoding=encoding))


def _read_parquet(file: Path, written: FileFormat | None, _: str) -> RawTable:
    return RawTable(file, parquet.read_table(file), written or FileFormat())


def _read_workbook(file: Path, written: FileFormat | None, sheet: str, column: str) -> RawTable:
    # Only projects that start from a table have it.
    import fastexcel  # noqa: PLC0415

    workbook = fastexcel.read_excel(file)
    names = workbook.sheet_names
    sheet = written.sheet if written else sheet
    if sheet and sheet not in names:
        raise HandoffError(f"{file} has no sheet {sheet!r}, only {', '.join(map(repr, names))}.")

    def first_rows(name: str) -> list[list[str]]:
        top = workbook.load_sheet(name, header_row=None, skip_rows=0, n_rows=50, dtypes="string")
        return [[cell or "" for cell in row.values()] for row in top.to_arrow().to_pylist()]

    tops = {name: first_rows(name) for name in ([sheet] if sheet else names)}
    filled = [name for name, rows in tops.items() if rows]
    if not filled:
        raise HandoffError(f"{file} can't be read: {'the sheet' if sheet else 'it'} has no rows.")
    wanted = column.strip().casefold()
    with_column = (
        name
        for name in filled
        if any(cell.strip().casefold() == wanted for row in tops[name] for cell in row)
    )
    sheet = next(with_column, filled[0])
    rows = tops[sheet]
    header = written.header if written else find_header(rows) + 1
    # With a header the reader would rename repeated columns; so read it as a row.
    loaded = workbook.load_sheet(
        sheet, header_row=None, skip_rows=header, schema_sample_rows=None
    ).to_arrow()
    table = pa.table(loaded).rename_columns(rows[header - 1][: loaded.num_columns])
    # Excel has no integers.
    for place, values in enumerate(table.columns):
        if pa.types.is_floating(values.type) and whole(values.drop_null()):
            table = table.set_column(place, table.field(place).name, pc.cast(values, pa.int64()))
    found = FileFormat(header=header, sheet=sheet)
    return RawTable(file, table, written or found, tuple(name for name in names if name != sheet))


_READERS: dict[str, Callable[[Path, FileFormat | None, str], RawTable]] = {
    **dict.fromkeys(_TEXTS, _read_text),
    **dict.fromkeys(_LINES, _read_lines),
    ".parquet": _read_parquet,
}


def _unique(names: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Number the repeated names: x, x (2)."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        new = name if seen[name] == 1 else f"{name} ({seen[name]})"
        while new in unique or (seen[name] > 1 and new in names):
            new += "'"
        unique.append(new)
    return unique, tuple(name for name, times in seen.items() if times > 1)


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return values in the type that contracts have for them, None if there is none."""
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
    return None
