"""The values of a column of text: numbers, dates, booleans; by a known form, or by their looks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts.column_notes import Note, NoteKind, Reason
from baton_handoff.contracts.date_forms import (
    DIGITS,
    are_digits,
    date_forms,
    is_day_first,
    is_in_order,
    matching_forms,
    parse_dates,
    shows_day_first,
)
from baton_handoff.contracts.number_forms import (
    Decimal,
    are_whole,
    likely_form,
    marked_place,
    number_form,
    parse_numbers,
    shows_decimal,
)
from baton_handoff.contracts.table_format import ISO_DATES, ColumnFormat

MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null"),
)
"""The texts that mean a missing value in every column."""

_MISSING_IN_TEXT = ("?", "#DIV/0!", "#NV", "#REF!", "#VALUE!", "#WERT!")
_MISSING_IN_NUMBERS = (
    *_MISSING_IN_TEXT,
    *("-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "*", "**"),
    *("None", "none", "NONE", "Null", "Nan", "NaT", "missing", "Missing", "unknown", "Unknown"),
    *("k.A.", "k. A.", "n.a.", "N.A.", "n.v."),
)
"""Texts that mean a missing value where all others are numbers, dates or booleans."""

_BOOLEANS = (
    *(("true", "false"), ("yes", "no"), ("ja", "nein"), ("y", "n"), ("j", "n"), ("t", "f")),
    *(("oui", "non"), ("sí", "no"), ("si", "no"), ("sim", "não"), ("wahr", "falsch")),
    *(("vrai", "faux"), ("on", "off"), ("tak", "nie"), ("sì", "no"), ("ano", "ne")),
    *(("igen", "nem"), ("да", "нет")),
)
"""Words for true and false."""

_MOSTLY = 0.5
_YEAR = r"\d.*\b(?:19|20)\d{2}\b|\b(?:19|20)\d{2}\b.*\d"
"""A year and another number: `3. März 2024`, `2024-Q1`."""

Array: TypeAlias = pa.ChunkedArray


@dataclass(frozen=True)
class FoundColumn:
    """A column as its values show it.

    Attributes:
        values: The values in their type.
        form: How they are written.
        notes: What is unusual about them.
    """

    values: Array
    form: ColumnFormat
    notes: tuple[Note, ...] = ()


def parse_column(values: Array, kind: str, form: ColumnFormat) -> tuple[Array, pa.Array]:
    """Parse text by a known form; values of other types stay as they are.

    Returns:
        The values in the Arrow type of the kind, and the positions of those that can't be read.
    """
    none = pa.array([], pa.int64())
    if not pa.types.is_string(values.type):
        return _without(values, form.missing), none
    texts = _present(values, form, trim=form.trim or kind != "string")
    match kind:
        case "string":
            return texts, none
        case "boolean":
            parsed = _booleans(texts, form)
        case "integer" | "number":
            parsed = parse_numbers(texts, form)
        case _:
            parsed = parse_dates(texts, form.dates)
    unread = pc.and_(pc.is_valid(texts), pc.is_null(parsed)).combine_chunks()
    return parsed, pc.indices_nonzero(unread).cast(pa.int64())  # Arrow crashes on no chunks


@dataclass(frozen=True)
class _Hints:
    """What the other columns tell, and a person.

    Attributes:
        missing: More texts that mean a missing value.
        decimal: The decimal separator of other columns, None if they don't show it.
        day_first: Whether the day comes first in their dates, None if they don't show it.
    """

    missing: tuple[str, ...]
    decimal: Decimal | None
    day_first: bool | None


def infer_columns(
    raw: pa.Table,
    *,
    target: str = "",
    missing: Sequence[str] = (),
    usual: Decimal | None = None,
) -> dict[str, FoundColumn]:
    """Find the types and the forms of all columns.

    Args:
        raw: The table, with text as it is in the file.
        target: The column whose words for yes and no are kept, because the model answers in them.
        missing: More texts that mean a missing value, or numbers.
        usual: The decimal separator where no column shows it.
    """
    texts = [values for values in raw.columns if pa.types.is_string(values.type)]
    # A column that leaves the decimal separator or the order of day and month open follows others.
    commas = sum(shows_decimal(values, ",") for values in texts)
    points = sum(shows_decimal(values, ".") for values in texts)
    decimal: Decimal | None = "," if commas > points else "." if points else usual
    present = (_present(v, ColumnFormat(missing=_MISSING_IN_NUMBERS), trim=True) for v in texts)
    hints = _Hints(tuple(missing), decimal, shows_day_first(v.drop_null() for v in present))
    return {
        name: _infer(name, values, hints, keep=name == target)
        if pa.types.is_string(values.type)
        else _typed(name, values, missing)
        for name, values in zip(raw.column_names, raw.columns, strict=True)
    }


def _typed(name: str, values: Array, missing: Sequence[str]) -> FoundColumn:
    present = _without(values, missing)
    count = present.null_count - values.null_count
    if not count:
        return FoundColumn(values, ColumnFormat())
    form = ColumnFormat(missing=tuple(missing))
    return FoundColumn(present, form, (Note(NoteKind.MISSING, name, form.missing, count),))


def _without(values: Array, missing: Sequence[str]) -> Array:
    """Return numbers with null for those that mean a missing value."""
    numbers = [float(text) for text in missing if _is_float(text)]
    if not numbers or not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return values
    return pc.if_else(pc.is_in(pc.cast(values, pa.float64()), pa.array(numbers)), None, values)


def _infer(name: str, values: Array, hints: _Hints, *, keep: bool) -> FoundColumn:
    trimmed = pc.utf8_trim_whitespace(values)
    tokens = _occurring(trimmed, (*_MISSING_IN_NUMBERS, *hints.missing))
    form = ColumnFormat(missing=tuple(tokens))
    texts = _present(values, form, trim=True)
    if texts.null_count == len(texts):
        return FoundColumn(pa.nulls(len(texts)), form)
    found = None
    if not are_digits(texts.drop_null()):
        found = _as_numbers(name, texts, form, hints)
    if not found and not (keep and not _is_true_and_false(texts)):
        found = _as_booleans(name, texts, form)
    found = found or _as_dates(name, texts, form, hints.day_first)
    if found:
        return replace(found, notes=(*_missing_note(name, trimmed, tokens), *found.notes))
    return _as_text(name, values, trimmed, hints.missing)


def _as_text(name: str, values: Array, trimmed: Array, missing: Sequence[str]) -> FoundColumn:
    narrow = tuple(_occurring(trimmed, (*_MISSING_IN_TEXT, *missing)))
    padded = pc.sum(pc.not_equal(values, trimmed)).as_py() or 0
    form = ColumnFormat(missing=narrow, trim=padded > 0)
    texts = _present(values, form, trim=True)
    notes = list(_missing_note(name, trimmed, narrow))
    if padded:
        notes.append(Note(NoteKind.PADDED, name, count=padded))
    present = texts.drop_null()
    if not len(present):
        return FoundColumn(pa.nulls(len(texts)), form, tuple(notes))
    numeric = parse_numbers(present, likely_form(present))
    read = len(numeric) - numeric.null_count
    if read == len(present):
        notes.append(Note(NoteKind.LEADING_ZEROS, name, _examples(present)))
    elif read > _MOSTLY * len(present):
        others = present.filter(pc.is_null(numeric))
        notes.append(Note(NoteKind.MIXED, name, _examples(others), len(others)))
    else:
        for dates in date_forms(present):
            unread = parse_dates(present, dates).null_count
            if unread < (1 - _MOSTLY) * len(present):
                others = present.filter(pc.is_null(parse_dates(present, dates)))
                notes.append(Note(NoteKind.MIXED_DATES, name, _examples(others), len(others)))
                break
        else:
            if pc.all(pc.match_substring_regex(present, _YEAR)).as_py():
                notes.append(Note(NoteKind.YEARS, name, _examples(present)))
    return FoundColumn(texts, form, tuple(notes))


def _as_numbers(name: str, texts: Array, known: ColumnFormat, hints: _Hints) -> FoundColumn | None:
    present = texts.drop_null()
    found = number_form(present, known, hints.decimal)
    if not found:
        return None
    form, is_open = found
    values = parse_numbers(texts, form)
    notes = []
    if (place := marked_place(present, form)) >= 0:
        number = f"{values.drop_null()[place].as_py():.15g}"
        notes.append(Note(NoteKind.NUMBERS, name, (present[place].as_py(), number)))
    if is_open:
        notes.append(Note(NoteKind.OPEN_DECIMAL, name))
    if are_whole(present, form):
        values = pc.cast(values, pa.int64())
    return FoundColumn(values, form, tuple(notes))


def _as_booleans(name: str, texts: Array, form: ColumnFormat) -> FoundColumn | None:
    if texts.null_count:  # a contract's booleans can't be missing
        return None
    distinct = pc.unique(texts).to_pylist()
    lower = {text.lower() for text in distinct}
    for true, false in _BOOLEANS:
        if lower == {true, false}:
            words = [
                next(text for text in distinct if text.lower() == word) for word in (true, false)
            ]
            if (true, false) == ("true", "false"):
                return FoundColumn(_booleans(texts, form), form)
            form = form.model_copy(update={"true": words[0], "false": words[1]})
            return FoundColumn(
                _booleans(texts, form), form, (Note(NoteKind.BOOLEANS, name, tuple(words)),)
            )
    return None


def _as_dates(
    name: str, texts: Array, form: ColumnFormat, day_first: bool | None
) -> FoundColumn | None:
    present = texts.drop_null()
    forms = [DIGITS] if are_digits(present) else matching_forms(present)
    if not forms:
        return None
    chosen, reason = forms[0], None
    if len(forms) > 1:
        ordered = [dates for dates in forms if is_in_order(parse_dates(present, dates))]
        if len(ordered) == 1:
            chosen, reason = ordered[0], Reason.ORDER
        elif day_first is None:
            reason = Reason.CUSTOM
        else:
            chosen = next(dates for dates in forms if is_day_first(dates) == day_first)
            reason = Reason.OTHERS
    form = form.model_copy(update={"dates": chosen})
    values = parse_dates(texts, form.dates)
    read = values.drop_null()[0].as_py().isoformat(" ").removesuffix(" 00:00:00+00:00")
    notes = []
    if reason or chosen != ISO_DATES:
        notes.append(Note(NoteKind.DATES, name, (present[0].as_py(), read)))
    if reason:
        kind = NoteKind.DAY_FIRST if is_day_first(chosen) else NoteKind.MONTH_FIRST
        notes.append(Note(kind, name, (reason,)))
    return FoundColumn(values, form, tuple(notes))


def _present(values: Array, form: ColumnFormat, *, trim: bool) -> Array:
    """Return the texts with null for those that mean a missing value."""
    trimmed = pc.utf8_trim_whitespace(values)
    missing = pc.is_in(trimmed, pa.array([*MISSING, *form.missing], pa.string()))
    return pc.if_else(missing, None, trimmed if trim else values)


def _booleans(texts: Array, form: ColumnFormat) -> Array:
    lower = pc.utf8_lower(texts)
    true, false = (form.true or "true").lower(), (form.false or "false").lower()
    is_true = pc.is_in(lower, pa.array([true, "1"] if not form.true else [true]))
    is_false = pc.is_in(lower, pa.array([false, "0"] if not form.false else [false]))
    return pc.if_else(pc.or_(is_true, is_false), is_true, None)


def _is_true_and_false(texts: Array) -> bool:
    return {text.lower() for text in pc.unique(texts.drop_null()).to_pylist()} == {"true", "false"}


def _occurring(trimmed: Array, tokens: Iterable[str]) -> list[str]:
    present = set(pc.unique(trimmed.filter(pc.is_in(trimmed, pa.array(list(tokens))))).to_pylist())
    return [token for token in dict.fromkeys(tokens) if token in present]


def _missing_note(name: str, trimmed: Array, more: Sequence[str]) -> tuple[Note, ...]:
    """Return a note about texts, other than the empty one, that were read as missing."""
    tokens = _occurring(trimmed, (*(text for text in MISSING if text), *more))
    if not tokens:
        return ()
    count = pc.sum(pc.is_in(trimmed, pa.array(tokens))).as_py()
    return (Note(NoteKind.MISSING, name, tuple(tokens), count),)


def _examples(values: Array, most: int = 3) -> tuple[str, ...]:
    return tuple(pc.unique(values).to_pylist()[:most])


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
