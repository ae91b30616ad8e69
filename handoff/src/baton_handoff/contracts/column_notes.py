"""What is unusual about the columns of a table, as data, and in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from baton_handoff.core.numbers import plural


class NoteKind(StrEnum):
    """What a note is about."""

    ROW_NUMBER = "row-number"
    ID = "id"
    EMPTY = "empty"
    CONSTANT = "constant"
    COUNTS = "counts"
    CODES = "codes"
    UNIQUE_TEXT = "unique-text"
    MISSING = "missing"
    SENTINEL = "sentinel"
    PADDED = "padded"
    MIXED = "mixed"
    MIXED_DATES = "mixed-dates"
    YEARS = "years"
    LEADING_ZEROS = "leading-zeros"
    NUMBERS = "numbers"
    OPEN_DECIMAL = "open-decimal"
    BOOLEANS = "booleans"
    DATES = "dates"
    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"
    LEAK = "leak"
    LEAK_SUM = "leak-sum"
    LEAK_PRODUCT = "leak-product"
    LEAK_FILLED = "leak-filled"
    LEAK_ABSENT = "leak-absent"

    @property
    def drops(self) -> bool:
        """Whether the column is left out of the contract."""
        return self in (NoteKind.ROW_NUMBER, NoteKind.ID, NoteKind.EMPTY, NoteKind.CONSTANT)


class Reason(StrEnum):
    """What decided whether day or month comes first."""

    ORDER = "order"
    OTHERS = "others"
    CUSTOM = "custom"


@dataclass(frozen=True)
class Note:
    """One thing that is unusual about a column.

    Attributes:
        kind: What it is about.
        column: The column's name in the file.
        values: Texts, numbers or columns that it is about, by its kind.
        count: The number of rows that it is about.
    """

    kind: NoteKind
    column: str
    values: tuple[str, ...] = ()
    count: int = 0


_UNKNOWN = "add --drop if it is not known when the model predicts"
_TEXTS = {
    NoteKind.ROW_NUMBER: "it is left out, because it numbers the rows",
    NoteKind.ID: "it is left out, because it identifies rows, which is no feature",
    NoteKind.EMPTY: "it is left out, because it is empty",
    NoteKind.CONSTANT: "it is left out, because it is constant: {values}",
    NoteKind.COUNTS: "it counts the rows and gets no bounds; add --drop if it is no property",
    NoteKind.CODES: "it looks like an id and gets no bounds; add --drop if it is no quantity",
    NoteKind.UNIQUE_TEXT: "almost every row has another text, from which no model can learn",
    NoteKind.MISSING: "{values} is read as missing in {rows}",
    NoteKind.SENTINEL: (
        "{first} in {rows} is far from all other values, so it gets no bounds; add"
        " --missing={first} if that means a missing value"
    ),
    NoteKind.PADDED: "spaces around the text are removed in {rows}",
    NoteKind.MIXED: (
        "it stays text, because it has numbers but also {values} in {rows}; add --missing for"
        " each text that means a missing value"
    ),
    NoteKind.MIXED_DATES: (
        "it stays text, because it has dates but also {values} in {rows}; add --missing for each"
        " text that means a missing value"
    ),
    NoteKind.YEARS: (
        "it stays text, such as {values}; if that is a date, write it as 2024-01-31 in the file"
    ),
    NoteKind.LEADING_ZEROS: "it stays text, because its digits are codes, such as {values}",
    NoteKind.NUMBERS: "'{first}' is read as the number {second}",
    NoteKind.OPEN_DECIMAL: "its values leave open whether the mark separates thousands: check it",
    NoteKind.BOOLEANS: "'{first}' is read as true, '{second}' as false",
    NoteKind.DATES: "'{first}' is read as the time {second}",
    NoteKind.DAY_FIRST: "the day comes first, {because}",
    NoteKind.MONTH_FIRST: "the month comes first, {because}",
    NoteKind.LEAK: f"it alone predicts the target almost perfectly ({{first}}); {_UNKNOWN}",
    NoteKind.LEAK_SUM: f"the target can be computed from it, {{first}}; {_UNKNOWN}",
    NoteKind.LEAK_PRODUCT: f"the target can be computed from it, {{first}}; {_UNKNOWN}",
    NoteKind.LEAK_FILLED: (
        f"it has values only where the target is {{first}}, in {{rows}}; {_UNKNOWN}"
    ),
    NoteKind.LEAK_ABSENT: (
        f"it lacks values only where the target is {{first}}, in {{rows}}; {_UNKNOWN}"
    ),
}
_BECAUSE = {
    Reason.ORDER: "because only so the rows are in the order of time",
    Reason.OTHERS: "as in other columns",
    Reason.CUSTOM: "by custom, because the values leave it open: check it",
}


def note_lines(notes: Iterable[Note]) -> list[str]:
    """Return one line for each column: what was found, and what follows from it."""
    texts: dict[str, list[str]] = {}
    for note in notes:
        texts.setdefault(note.column, []).append(_text(note))
    return [
        f"{f'Column {name!r}' if name else 'The column without a name'}: {'; '.join(lines)}."
        for name, lines in texts.items()
    ]


def _text(note: Note) -> str:
    first, second = (*note.values, "", "")[:2]
    ordered = note.kind in (NoteKind.DAY_FIRST, NoteKind.MONTH_FIRST)
    return _TEXTS[note.kind].format(
        first=first,
        second=second,
        values=", ".join(map(repr, note.values[:5])),
        rows=plural(note.count, "row"),
        because=_BECAUSE[Reason(first)] if ordered else "",
    )
