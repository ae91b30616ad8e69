"""A team's own table: read and profiled by its values and by what a person decides about it."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from baton_handoff.contracts.column_notes import note_lines
from baton_handoff.contracts.column_values import infer_columns
from baton_handoff.contracts.number_forms import Decimal
from baton_handoff.contracts.raw_tables import RawTable, file_lines, open_table
from baton_handoff.contracts.table_files import with_joined
from baton_handoff.contracts.table_format import ColumnFormat, FileFormat
from baton_handoff.contracts.table_joins import Join
from baton_handoff.contracts.table_profile import TableProfile, Task, profile_table, require_column
from baton_handoff.core.errors import HandoffError

GOLDEN_ROWS = 10


@dataclass(frozen=True)
class Choices:
    """What a person decides about a table, where its values can't.

    Attributes:
        task: The kind of prediction, None to choose it by the values of the target.
        encoding: The encoding of a text file, empty to find it out.
        sheet: The sheet of a workbook, empty for the first one with the target.
        missing: Texts or numbers that mean a missing value, beside the usual ones.
        keep: Columns that stay, even if they identify rows or are constant.
        drop: Columns to leave out.
        written: How the file is written, None to find it out.
    """

    task: Task | None = None
    encoding: str = ""
    sheet: str = ""
    missing: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    written: FileFormat | None = None

    def recorded(self) -> dict[str, Any]:
        """Return what params.yaml records, so that the draft can be made again."""
        chosen = {name: getattr(self, name) for name in ("missing", "keep", "drop")}
        return {name: list(values) for name, values in chosen.items() if values}

    def after(self, recorded: Mapping[str, Any]) -> "Choices":
        """Return the choices for a new draft: those recorded for the former one stay."""
        former = {name: tuple(recorded.get(name, ())) for name in ("missing", "keep", "drop")}
        return replace(
            self,
            missing=tuple(dict.fromkeys((*former["missing"], *self.missing))),
            keep=tuple(dict.fromkeys((*former["keep"], *self.keep))),
            drop=tuple(n for n in (*former["drop"], *self.drop) if n not in self.keep),
        )


@dataclass(frozen=True)
class OwnTable:
    """A table and what its rows show.

    Attributes:
        raw: The table as its file has it.
        profile: What its rows show, with those of the joined tables.
        choices: What a person decided about it.
        joined: Further tables that are joined to it.
    """

    raw: RawTable
    profile: TableProfile
    choices: Choices
    joined: tuple[Join, ...] = ()

    @property
    def file(self) -> Path:
        """Its file."""
        return self.raw.file

    @property
    def formats(self) -> dict[str, ColumnFormat]:
        """How each column of the contracts is called and written in the file."""
        return {
            column.name: column.form.model_copy(update={"name": column.source})
            for column in (*self.profile.columns, self.profile.target)
        }

    def parameters(self, place_of: Callable[[Path], Path]) -> dict[str, Any]:
        """Return the section `source` of params.yaml, with files at their place in the project."""
        columns = (*self.profile.columns, self.profile.target)
        stated = {column.name: column.parameters for column in columns if column.parameters}
        parameters: dict[str, Any] = {
            "file": place_of(self.file).as_posix(),
            "format": self.raw.format.model_dump(exclude_unset=True),
            # A column that only has another name in the file needs no more than this name.
            "columns": {
                name: form["name"] if set(form) == {"name"} else form
                for name, form in stated.items()
            },
        }
        if chosen := self.choices.recorded():
            parameters["chosen"] = chosen
        if self.joined:
            parameters["joined"] = [
                {
                    "file": place_of(join.file).as_posix(),
                    "keys": list(join.keys),
                    "format": (join.written or FileFormat()).model_dump(exclude_unset=True),
                }
                for join in self.joined
            ]
        return parameters

    def lines(self) -> Iterator[str]:
        """Yield what a person has to know about the table, a line for each thing."""
        yield from file_lines(self.raw)
        yield from note_lines(self.profile.notes)


def read_own_table(
    file: Path,
    target: str,
    choices: Choices,
    reserved: Collection[str],
    joined: Sequence[Join] = (),
) -> OwnTable:
    """Read and profile a table.

    Args:
        file: The file.
        target: The column to predict.
        choices: What its values can't decide.
        reserved: Names that no column may have in the contracts.
        joined: Further tables to join to it.

    Raises:
        HandoffError: A table can't be read or joined, lacks a named column or can't be learned
            from.
    """
    chosen = {"encoding": choices.encoding, "sheet": choices.sheet}
    raw = open_table(file, choices.written, column=target, **chosen)
    joins = tuple(
        replace(join, written=join.written or open_table(join.file).format) for join in joined
    )
    columns = with_joined(raw.columns, joins)
    names = columns.column_names
    for name in (*choices.keep, *choices.drop):
        require_column(name, names)
    if target not in names:
        target = next((name for name in names if name.strip() == target.strip()), target)
    if target not in names:
        _require_header(file, names)
    columns = columns.drop_columns([name for name in choices.drop if name != target])
    # Semicolons separate columns where the comma separates decimals.
    usual: Decimal | None = "," if raw.format.separator == ";" else None
    found = infer_columns(columns, target=target, missing=choices.missing, usual=usual)
    profile = profile_table(found, target, choices.task, reserved, choices.keep)
    return OwnTable(raw, profile, choices, joins)


def _require_header(file: Path, names: Sequence[str]) -> None:
    """Check that what was read as names of columns can be names.

    Raises:
        HandoffError: It can't: the file has no such line, or separates columns by spaces.
    """
    if len(names) == 1 and len(names[0].split()) > 1:
        raise HandoffError(
            f"{file} has only one column, {names[0][:60]!r}: separate columns by a comma, a"
            " semicolon, a tab or |."
        )
    if names and all(re.fullmatch(r"[-+]?[\d.,]+", name) for name in names):
        raise HandoffError(
            f"{file} does not name its columns: its first line needs a name for each of its"
            f" {len(names)} columns."
        )


def golden_positions(table: pa.Table, profile: TableProfile) -> list[int]:
    """Return the positions of the first rows and of two rows of each class."""
    values = table[profile.target.name].to_pylist()
    chosen = set(range(min(GOLDEN_ROWS, len(values))))
    for value in profile.classes:
        first = values.index(value)
        chosen |= {first, values.index(value, first + 1)}
    return sorted(chosen)
