"""Columns that are no features, or hardly any: ids, row numbers, constant and empty ones."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts.column_notes import Note, NoteKind

_IDS = {"id", "ids", "uuid", "guid", "oid", "pk", "rowid", "identifier"}
"""Words of a name that mean an identifier."""

_NUMBERS = {
    *("", "#", "no", "nr", "num", "number", "nummer", "numero", "row", "rows", "rownum", "index"),
    *("idx", "key", "code", "unnamed", "record", "instant", "lfd", "zeile", "ticket", "reference"),
}
"""Words of a name that mean an identifier if each value is unique."""

_UUID = r"(?i)^[{]?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}[}]?$|^[0-9a-f]{24,64}$"
_CODE = r"^[A-Za-z]{0,5}[-_/#. ]?\d{3,}(?:[-_/]\d+)*$"
_FEW = 20
_SENTINELS = {
    *(-1, -9, -99, -999, -9999, -99999, -999999, -99.9, -999.9, -999.99),
    *(99, 999, 9999, 99999, 999999, 9999999, 999.9, 999.99, 9999.99),
}
_LEAST_TIMES = 2


def unusual_columns(columns: Mapping[str, pa.ChunkedArray]) -> Iterator[Note]:
    """Yield a note for each column, apart from the target, that is no usual feature."""
    for place, (name, values) in enumerate(columns.items()):
        present = values.drop_null()
        if not len(present):
            yield Note(NoteKind.EMPTY, name)
            continue
        distinct = len(pc.unique(present))
        is_text, is_whole = pa.types.is_string(values.type), pa.types.is_integer(values.type)
        if distinct == 1 and not values.null_count and len(values) > 1:
            yield Note(NoteKind.CONSTANT, name, (str(present[0].as_py()),))
        elif not (is_text or is_whole):
            yield from sentinel_notes(name, values)
        elif _is_row_number(values) and (_is_named(name, _IDS | _NUMBERS)):
            yield Note(NoteKind.ROW_NUMBER, name)
        elif _is_id(name, present, distinct):
            yield Note(NoteKind.ID, name)
        elif _is_row_number(values) and place == 0:
            yield Note(NoteKind.COUNTS, name)
        elif is_whole and _is_named(name, _IDS):
            yield Note(NoteKind.CODES, name)
        elif is_text and distinct > max(_FEW, 0.9 * len(present)):
            yield Note(NoteKind.UNIQUE_TEXT, name)
        else:
            yield from sentinel_notes(name, values)


def sentinel_notes(name: str, values: pa.ChunkedArray) -> Iterator[Note]:
    """Yield a note if one number of a column may mean a missing value."""
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        numbers = values.drop_null().to_pylist()
        if (found := _sentinel(numbers)) is not None:
            yield Note(NoteKind.SENTINEL, name, (f"{found:g}",), numbers.count(found))


def _sentinel(numbers: Sequence[float]) -> float | None:
    """Return the number that may mean a missing value, None if there is none.

    It is one of the usual ones, repeated, and far from all other numbers.
    """
    times = Counter(numbers)
    for end in (min(times), max(times)):
        others = [number for number in times if number != end]
        if end not in _SENTINELS or times[end] < _LEAST_TIMES or len(others) < _LEAST_TIMES:
            continue
        low, high = min(others), max(others)
        far = max(high - low, 1)
        if (end < 0 <= low and (end < -far or end <= -9)) or end > high + far or end < low - far:
            return end
    return None


def _is_id(name: str, present: pa.ChunkedArray, distinct: int) -> bool:
    is_text = pa.types.is_string(present.type)
    if is_text and distinct > _FEW and _all_match(present, _UUID):
        return True
    if _is_named(name, _IDS):
        return distinct > _FEW
    if distinct < len(present) or distinct <= 1:
        return False
    if _is_named(name, _NUMBERS):
        return True
    # P-0012 in each row, or 00012 with a name such as Kundennummer; 01067 alone may be a postcode.
    if not is_text or distinct <= _FEW or not _all_match(present, _CODE):
        return False
    return _all_match(present, r"^[A-Za-z]") or bool(
        re.search(r"(?i)(nummer|nr\.?|number|code|key|ref)$", name.strip())
    )


def _all_match(texts: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def _is_row_number(values: pa.ChunkedArray) -> bool:
    if not pa.types.is_integer(values.type) or values.null_count or len(values) < 3:
        return False
    whole = values.combine_chunks()
    steps = pc.min_max(pc.subtract(whole[1:], whole[:-1])).as_py()
    return bool(steps["min"] == steps["max"] == 1)


def _is_named(name: str, words: set[str]) -> bool:
    """Whether a name is, begins with or ends with one of the words: customer_id, PassengerId."""
    parts = re.findall(r"[A-ZÄÖÜ]+(?![a-zäöüß])|[A-ZÄÖÜ]?[^\W\dA-Z_ÄÖÜ]+|#", name.strip())
    if not parts:
        return "" in words
    return parts[-1].lower() in words or parts[0].lower() in words & _IDS
