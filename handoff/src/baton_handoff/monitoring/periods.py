"""Periods of the reference that are about as long as the period that is monitored.

One day's weather never has the distribution of a whole year. So a day is compared with the days of
the training data and a month with its months; what one of them has shown is no drift.
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
# Shorter than the periods, as rows rarely begin and end with one.
_MIN_DURATION: dict[Length, pd.Timedelta] = {
    "month": pd.Timedelta(days=27),
    "week": pd.Timedelta(days=6),
    "day": pd.Timedelta(hours=15),
}
_SHORTER: dict[Length, Length] = {"month": "week", "week": "day", "day": "half-day"}


def period_length(times: pd.Series) -> Length:
    """The longest period that rows of these times fill, at most a month.

    Not a longer one that they are a part of: shorter periods vary more.
    """
    covered = times.max() - times.min()
    return next((length for length, least in _MIN_DURATION.items() if covered >= least), "half-day")


def period_names(times: pd.Series, length: Length) -> pd.Series:
    """The name of each row's period in UTC; names sort by time."""
    names: pd.Series = times.dt.strftime(_FORMATS[length])
    return names


def comparable_periods(reference: pd.Series, current: pd.Series) -> pd.Series:
    """The period of each reference row, each about as long as what the current rows cover.

    All rows are one period if the current rows cover more than half as much as the reference.
    """
    if current.max() - current.min() > (reference.max() - reference.min()) / 2:
        return one_period(reference)
    return period_names(reference, period_length(current))


def one_period(reference: pd.Series | pd.DataFrame) -> pd.Series:
    """The same period for all rows: there is nothing to compare a period with."""
    return pd.Series("", reference.index)


def parts(times: pd.Series) -> pd.Series:
    """The name of each row's part of the period that all rows cover, to show changes over time."""
    length = period_length(times)
    longer = times.max() - times.min() > 2 * _MIN_DURATION["month"]
    return period_names(times, length if longer else _SHORTER.get(length, length))
