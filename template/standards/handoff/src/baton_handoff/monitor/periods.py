"""Periods: what rows are held against is of the same length as what they cover.

A day's weather never lies as a year's does. So a day is held against the days that a model has
learnt from, a month against its months: what one of them has shown already is no news.
"""

from typing import Literal, TypeAlias

import pandas as pd

Length: TypeAlias = Literal["day", "week", "month"]

_FORMATS: dict[Length, str] = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
_LONGEST: dict[Length, pd.Timedelta] = {
    "day": pd.Timedelta(days=1.5),
    "week": pd.Timedelta(days=10),
    "month": pd.Timedelta(days=45),
}
_OVER = {"month": "week", "week": "day", "day": "day"}


def length_of(moments: pd.Series) -> Length:
    """How long a period is that rows of these moments cover, a month at most."""
    covered = moments.max() - moments.min()
    fitting = [length for length, longest in _LONGEST.items() if covered <= longest]
    return fitting[0] if fitting else "month"


def labels(moments: pd.Series, length: Length) -> pd.Series:
    """The period of each row, in UTC; they sort as they follow each other."""
    return moments.dt.strftime(_FORMATS[length])


def comparable(reference: pd.Series, current: pd.Series) -> pd.Series | None:
    """The period of each row of a reference, each as long as what the current rows cover.

    None where those cover so much that the reference has no other period of that length.
    """
    if current.max() - current.min() > (reference.max() - reference.min()) / 2:
        return None
    found = labels(reference, length_of(current))
    return found if found.nunique() > 1 else None


def over_time(moments: pd.Series) -> pd.Series:
    """The period of each row, a step shorter than all of them, to see how something went."""
    longer = moments.max() - moments.min() > _LONGEST["month"]
    return labels(moments, "month" if longer else _OVER[length_of(moments)])  # type: ignore[arg-type]
