"""The forms of numbers that the texts of a column may have: separators, and a sign beside them."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts.table_format import ColumnFormat

Decimal: TypeAlias = Literal[".", ","]
Thousands: TypeAlias = Literal["", ".", ",", " ", "'"]
Style: TypeAlias = tuple[Decimal, Thousands]
"""The decimal separator, and the separator of thousands."""

_SIGNS = r"[€$£¥₹%‰]|CHF|EUR|USD|GBP|JPY|Kč|zł|kr\.?|Fr\.?|R\$|US\$"
_SPACES = "[\\s\u00a0\u202f\u2009]"
_APOSTROPHES = "['\u2019]"
_MINUS = "\u2212"
_LEADING = rf"[+\-{_MINUS}]?"
_MARKS = rf"[.,]|{_APOSTROPHES}|{_SPACES}"
_LONGEST_INTEGER = 18
_ENOUGH = 0.1
"""The share of values that shows which decimal separator a column has."""


def parse_numbers(texts: pa.ChunkedArray, form: ColumnFormat) -> pa.ChunkedArray:
    """Parse numbers; null where a text is none in this form."""
    bare = _unsigned(texts, form.sign)
    fits = pc.match_substring_regex(bare, _pattern(form.decimal, form.thousands))
    if form.thousands:
        bare = pc.replace_substring_regex(bare, _group(form.thousands), "")
    for pattern, plain in ((",", "."), (_MINUS, "-"), (r"^\((.*)\)$", r"-\1"), (r"^\+|\.$", "")):
        bare = pc.replace_substring_regex(bare, pattern, plain)
    return pc.cast(pc.if_else(fits, pc.utf8_lower(bare), None), pa.float64())


def number_form(
    present: pa.ChunkedArray, form: ColumnFormat, usual: Decimal | None
) -> tuple[ColumnFormat, bool] | None:
    """Return the form in which all texts are numbers, None if there is none.

    Args:
        present: The texts, without nulls.
        form: What is known of the form.
        usual: The decimal separator of other columns, None if they don't show it.

    Returns:
        The form, and whether the values leave open which mark is the decimal separator.
    """
    if _are_codes(present):
        return None
    sign = _sign(present)
    bare = _unsigned(present, sign)
    styles = [
        style
        for style in _styles(bare, usual)
        if pc.all(pc.match_substring_regex(bare, _pattern(*style))).as_py()
    ]
    if not styles:
        return None
    decimal, thousands = styles[0]
    marked = bare.filter(pc.match_substring_regex(bare, r"[.,]"))
    both = rf"^{_LEADING}[1-9]\d{{0,2}}[.,]\d{{3}}$"
    is_open = len(marked) > 0 and pc.all(pc.match_substring_regex(marked, both)).as_py()
    found = form.model_copy(update={"decimal": decimal, "thousands": thousands, "sign": sign})
    return found, bool(is_open and (usual is None or "," in (decimal, thousands)))


def are_whole(present: pa.ChunkedArray, form: ColumnFormat) -> bool:
    """Whether all numbers are written as integers."""
    bare = _unsigned(present, form.sign)
    mark = f"|{_group(form.thousands)}" if form.thousands else ""
    whole = rf"^[(]?{_LEADING}(?:\d|{_SPACES}{mark})+[)]?$"
    return bool(pc.all(pc.match_substring_regex(bare, whole)).as_py())


def marked_place(present: pa.ChunkedArray, form: ColumnFormat) -> int:
    """Return the position of the first number with one of the marks of its form, -1 for none."""
    group = _group(form.thousands) if form.thousands else ","  # a decimal point is usual
    comma = "," if form.decimal == "," else group
    marks = "|".join((group, comma, rf"\d{_SPACES}\d", r"^\(", _SIGNS))
    place: int = pc.index(pc.match_substring_regex(present, marks), value=True).as_py()
    return place


def likely_form(present: pa.ChunkedArray) -> ColumnFormat:
    """Return the form in which most of the texts are numbers."""
    sign = _sign(present)
    points = ColumnFormat(decimal=".", thousands=",", sign=sign)
    commas = ColumnFormat(decimal=",", thousands=".", sign=sign)
    return min((points, commas), key=lambda form: parse_numbers(present, form).null_count)


def shows_decimal(values: pa.ChunkedArray, decimal: Decimal) -> bool:
    """Whether numbers of a column can only have this decimal separator."""
    if not len(values):
        return False
    mark, other = rf"\{decimal}", r"\." if decimal == "," else ","
    digits = rf"\d{{1,3}}(?:{other}\d{{3}})+{mark}\d+|\d*{mark}(?:\d{{1,2}}|\d{{4,}})|0{mark}\d+"
    sure = rf"^{_LEADING}(?:{_SIGNS})?{_SPACES}*(?:{digits})(?:{_SPACES}*(?:{_SIGNS}))?$"
    shown = pc.match_substring_regex(pc.utf8_trim_whitespace(values), sure)
    return bool((pc.sum(shown).as_py() or 0) > _ENOUGH * len(values))


def _pattern(decimal: Decimal, thousands: Thousands) -> str:
    """Return the pattern of a number, as RE2 knows it."""
    digits, mark = r"\d+", rf"\{decimal}"
    if thousands:
        digits = rf"(?:\d{{1,3}}(?:{_group(thousands)}\d{{3}})+|\d+)"
    number = rf"(?:{digits}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?"
    return rf"^(?:{_LEADING}(?:{number}|(?i:inf(?:inity)?))|\({number}\))$"


def _group(thousands: Thousands) -> str:
    """Return the pattern of what separates thousands."""
    return {" ": _SPACES, "'": _APOSTROPHES}.get(thousands, rf"\{thousands}")


def _styles(bare: pa.ChunkedArray, usual: Decimal | None) -> Iterator[Style]:
    """Yield the forms of numbers to try, the most likely first."""

    def has(pattern: str) -> bool:
        return bool(pc.any(pc.match_substring_regex(bare, pattern)).as_py())

    if not has(_MARKS):
        # Later values may have marks: they mean what they mean in the other columns.
        yield (",", ".") if usual == "," else (".", "")
        return
    points: list[Style] = [(".", ""), (".", ","), (".", " "), (".", "'")]
    commas: list[Style] = [(",", "."), (",", ""), (",", " "), (",", "'")]
    # 1,234 alone has thousands where other columns have a decimal point, or nothing tells.
    for decimal, thousands in [*commas, *points] if usual == "," else [*points, *commas]:
        if not thousands or has(_group(thousands)):
            yield decimal, thousands


def _are_codes(present: pa.ChunkedArray) -> bool:
    """Whether digits are a code: they have leading zeros, or are too long for an integer."""
    pattern = rf"^[+-]?0\d|^\+\d{{7,}}$|^\d{{{_LONGEST_INTEGER + 1},}}$"
    return bool(pc.any(pc.match_substring_regex(present, pattern)).as_py())


def _sign(present: pa.ChunkedArray) -> str:
    """Return the sign beside the numbers of a column, empty if there is none or several."""
    pattern = rf"^{_LEADING}(?P<before>{_SIGNS})?.*?(?P<after>{_SIGNS})?$"
    found = pc.extract_regex(present, pattern).combine_chunks()
    parts = [pc.unique(pc.struct_field(found, part)).to_pylist() for part in ("before", "after")]
    signs = {sign for part in parts for sign in part if sign}
    return str(signs.pop()) if len(signs) == 1 else ""


def _unsigned(texts: pa.ChunkedArray, sign: str) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(pc.replace_substring(texts, sign, "")) if sign else texts
