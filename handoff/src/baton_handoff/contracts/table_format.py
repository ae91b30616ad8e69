"""How a table is written in its file: what ingest needs to read every delivery in the same way.

`handoff contract new` finds it out and writes it to `params.yaml`, under `source`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from baton_handoff.core.errors import HandoffError

ISO_DATES = "ISO8601"
"""The form of dates and times by the standard ISO 8601, also mixed ones."""


class _Format(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def parameters(self) -> dict[str, Any]:
        """Return what differs from the defaults, as params.yaml holds it."""
        return self.model_dump(exclude_defaults=True, mode="json")


class FileFormat(_Format):
    """How a file is written.

    Attributes:
        encoding: The encoding of a text file, by Python's name.
        separator: What separates the columns of a CSV file.
        header: The line, or the row of the sheet, with the names of the columns, from 1.
        sheet: The sheet of a workbook; empty for the first one.
    """

    encoding: str = "utf-8"
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    header: Annotated[int, Field(ge=1)] = 1
    sheet: str = ""


class ColumnFormat(_Format):
    """How the values of a column are written.

    Attributes:
        name: The column's name in the file, None if it is the contract's.
        missing: Texts that mean a missing value, beside the usual ones.
        decimal: The decimal separator.
        thousands: What separates thousands, empty for nothing.
        sign: A sign beside each number, such as € or %.
        dates: The form of dates and times, in the words of `strptime`, or ISO8601.
        true: The text that means true, empty for true itself.
        false: The text that means false.
        trim: Whether spaces around texts are removed.
    """

    name: str | None = None
    missing: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    sign: str = ""
    dates: str = ISO_DATES
    true: str = ""
    false: str = ""
    trim: bool = False


ColumnFormats: TypeAlias = Mapping[str, "str | Mapping[str, Any] | ColumnFormat"]
"""The formats of columns by their names in the contract; a text is only the name in the file."""


def column_formats(given: ColumnFormats) -> dict[str, ColumnFormat]:
    """Return formats as `source.columns` of params.yaml states them.

    Raises:
        HandoffError: One is not valid.
    """
    return {name: _column_format(name, stated) for name, stated in given.items()}


def file_format(given: Mapping[str, Any] | FileFormat | None, file: Path) -> FileFormat | None:
    """Return the format of a file; None if none is given or recorded for it.

    Args:
        given: As `source.format` of params.yaml states it.
        file: The file, as params.yaml names it.

    Raises:
        HandoffError: It is not valid.
    """
    if given is None:
        # The ingest of earlier releases doesn't pass it on.
        given = _recorded(file)
    if given is None or isinstance(given, FileFormat):
        return given
    try:
        return FileFormat.model_validate(given)
    except ValidationError as error:
        raise _invalid("source.format", error) from error


def _recorded(file: Path) -> Mapping[str, Any] | None:
    parameters = Path("params.yaml")
    if not parameters.is_file():
        return None
    source = (yaml.safe_load(parameters.read_text(encoding="utf-8")) or {}).get("source") or {}
    is_recorded = isinstance(source, dict) and Path(str(source.get("file"))) == file
    return source.get("format") if is_recorded else None


def _column_format(name: str, stated: "str | Mapping[str, Any] | ColumnFormat") -> ColumnFormat:
    if isinstance(stated, ColumnFormat):
        return stated
    if isinstance(stated, str):
        return ColumnFormat(name=stated)
    try:
        return ColumnFormat.model_validate(stated)
    except ValidationError as error:
        raise _invalid(f"source.columns.{name}", error) from error


def _invalid(place: str, error: ValidationError) -> HandoffError:
    first = error.errors()[0]
    key = ".".join(map(str, (place, *first["loc"])))
    return HandoffError(f"params.yaml, {key}: {first['msg'][0].lower()}{first['msg'][1:]}.")
