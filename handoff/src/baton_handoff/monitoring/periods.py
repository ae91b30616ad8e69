"""Periods: what rows are held against is about as long as what they cover.

A day's weather never lies as a year's does. So a day is held against the days that a model has
learnt from, a month against its months: what one of them has shown already is no news.
"""

from typing import Literal, TypeAlias

import pandas as pd

Length: TypeAlias = Literal["half-day", "day", "week", "month"]

_FORMATS: dict[Length, str] = {
    "half-day": "%Y-%m-%d %p",
    "day": "%Y-%m-%d",
    "week": "%G-W%V",
    "month": "%Y-%m",
}
_FROM: dict[Length, pd.Timedelta] = {
    "month": pd.Timedelta(days=27),
    "week": pd.Timedelta(days=6),
    "day": pd.Timedelta(hours=15),
}
_STEPS: dict[Length, Length] = {"month": "week", "week": "day", "day": "half-day"}


def length_of(moments: pd.Series) -> Length:
    """The longest period that rows of these moments cover, a month at most.

    Not one that they are only a part of: the shorter a period, the further off its like have been.
    """
    covered = moments.max() - moments.min()
    return next((length for length, least in _FROM.items() if covered >= least), "half-day")


def labels(moments: pd.Series, length: Length) -> pd.Series:
    """The period of each row, in UTC; they sort as they follow each other."""
    found: pd.Series = moments.dt.strftime(_FORMATS[length])
    return found


def comparable(reference: pd.Series, current: pd.Series) -> pd.Series | None:
    """The period of each row of a reference, each about as long as what the current rows cover.

    None where those cover so much that the reference has no other period of that length.
    """
    if current.max() - current.min() > (reference.max() - reference.min()) / 2:
        return None
    found = labels(reference, length_of(current))
    return found if found.nunique() > 1 else None


def over_time(moments: pd.Series) -> pd.Series:
    """The period of each row, a step shorter than all of them, to see how something went."""
    length = length_of(moments)
    longer = moments.max() - moments.min() > 2 * _FROM["month"]
    return labels(moments, length if longer else _STEPS.get(length, length))
