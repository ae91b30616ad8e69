"""The forms of dates and times that the texts of a column may have."""

import re
from collections.abc import Iterable, Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts.frames import ARROW
from baton_handoff.contracts.table_format import ISO_DATES

_ISO = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:?\d{2}(?::?\d{2}(?:[.,]\d+)?)?\s?(?:Z|[+-]\d{2}:?\d{2})?)?$"
_WEEK = r"^\d{4}-W\d{2}$"
_MONTH = (
    r"(?P<first>(?:19|20)\d{2}|\d{2}|[A-Za-z]{3,9})(?P<one>[-./ ])(?P<second>(?:19|20)\d{2}|\d{2})"
)
_DIGITS = r"^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$"
_PARTS = re.compile(
    r"(?P<weekday>[A-Za-z]{3,9},\s+)?"
    r"(?P<first>\d{1,4}|[A-Za-z]{3,9}\.?)(?P<one>[-./ ]\s?)"
    r"(?P<second>\d{1,2}|[A-Za-z]{3,9}\.?)(?P<two>,?\s|[-./])"
    r"(?P<third>\d{4}|\d{1,2})"
    r"(?:(?P<between>,?\s+|T)(?P<time>\d{1,2}:\d{2}(?::\d{2}(?P<fraction>\.\d+)?)?)"
    r"(?P<space>\s*)(?P<half>[AaPp][Mm])?(?P<gap>\s*)(?P<offset>Z|[+-]\d{2}:?\d{2})?)?"
)


_WEEKS = "%G-W%V"

DIGITS = "%Y%m%d"


def parse_dates(texts: pa.ChunkedArray, dates: str) -> pa.ChunkedArray:
    """Parse dates and times in one form, in UTC; null where a text is none.

    A week or a month without a day is its first day.
    """
    if dates == _WEEKS:
        texts, dates = pc.binary_join_element_wise(texts, "1", "-"), f"{dates}-%u"
    parsed = pd.to_datetime(texts.to_pandas(), format=dates, utc=True, errors="coerce")
    values = parsed.astype("datetime64[us, UTC]").array
    return pa.chunked_array([pa.array(values, ARROW["timestamp[UTC]"], from_pandas=True)])


def matching_forms(present: pa.ChunkedArray) -> list[str]:
    """Return the forms in which all texts are dates."""
    if not len(present):
        return []
    return [form for form in date_forms(present) if not parse_dates(present, form).null_count]


def is_day_first(dates: str) -> bool:
    """Whether the day comes before the month."""
    return dates.find("%d") < dates.find("%m")


def shows_day_first(columns: Iterable[pa.ChunkedArray]) -> bool | None:
    """Whether the day comes first in the dates of a column that tells, None if none does."""
    for present in columns:
        forms = matching_forms(present)
        if (
            len(forms) == 1
            and forms[0].startswith(("%d", "%m"))
            and "%d" in forms[0]
            and "%m" in forms[0]
        ):
            return is_day_first(forms[0])
    return None


def date_forms(present: pa.ChunkedArray) -> Iterator[str]:
    """Yield the forms that texts may have, in the words of `strptime`; the most usual first.

    Each still has to be tried on all texts.

    Args:
        present: The texts, without spaces around them and without nulls.
    """
    text = present[0].as_py()
    if re.match(_ISO, text):
        if pc.all(pc.match_substring_regex(present, _ISO)).as_py():
            yield ISO_DATES
        return
    if re.match(_WEEK, text):
        yield _WEEKS
    if found := re.fullmatch(_MONTH, text):
        yield from _months(present, found["first"], found["one"], found["second"])
    found = _PARTS.fullmatch(text)
    if not found:
        return
    first, second, third = found["first"], found["second"], found["third"]
    year = "%Y" if len(third) == 4 else "%y"
    if first[0].isalpha():  # January 5, 2015
        orders = [(_month(present, first), "%d", year)] if not second[0].isalpha() else []
    elif second[0].isalpha():
        orders = [("%d", _month(present, second), year)]
    elif len(first) == 4:
        orders = [("%Y", "%m", "%d")]
    elif len(first) == 3:
        orders = []
    elif "/" in found["one"]:
        # Without a sign of the day first, as in English.
        orders = [("%m", "%d", year), ("%d", "%m", year)]
    else:
        orders = [("%d", "%m", year), ("%m", "%d", year)]
    time = _time(found) if found["time"] else ""
    weekday = (
        f"%{'a' if len(found['weekday'].strip(', ')) == 3 else 'A'}, " if found["weekday"] else ""
    )
    for one, two, three in orders:
        yield f"{weekday}{one}{found['one']}{two}{found['two']}{three}{time}"


def are_digits(present: pa.ChunkedArray) -> bool:
    """Whether all texts are dates without separators: 20210131."""
    return bool(pc.all(pc.match_substring_regex(present, _DIGITS)).as_py()) and not (
        parse_dates(present, DIGITS).null_count
    )


def _months(present: pa.ChunkedArray, first: str, mark: str, second: str) -> Iterator[str]:
    """Yield the form of months: 2021-01, 01/2021, Jan 2021."""
    if len(first) == 4 and first.isdigit():
        if len(second) == 2:
            yield f"%Y{mark}%m"
    elif len(second) == 4:
        yield f"{'%m' if first.isdigit() else _month(present, first)}{mark}%Y"


def is_in_order(times: pa.ChunkedArray) -> bool:
    """Whether times never go back, and not all are equal."""
    values = times.combine_chunks()
    if len(values) < 3:
        return False
    steps = pc.subtract(pc.cast(values[1:], pa.int64()), pc.cast(values[:-1], pa.int64()))
    ends = pc.min_max(steps).as_py()
    return bool((ends["min"] >= 0 and ends["max"] > 0) or (ends["max"] <= 0 and ends["min"] < 0))


def _month(present: pa.ChunkedArray, name: str) -> str:
    if name.endswith("."):
        return "%b."
    # May is short and long at once.
    longest = max(
        len(word) for text in present[:200].to_pylist() for word in re.findall("[A-Za-z]+", text)
    )
    return "%b" if len(name) == 3 and longest <= 4 else "%B"


def _time(found: re.Match[str]) -> str:
    seconds = found["time"].count(":") == 2
    hours = "%I" if found["half"] else "%H"
    time = f"{hours}:%M" + (":%S" if seconds else "") + (".%f" if found["fraction"] else "")
    half = f"{found['space']}%p" if found["half"] else found["space"]
    offset = f"{found['gap']}%z" if found["offset"] else ""
    return f"{found['between']}{time}{half}{offset}"
