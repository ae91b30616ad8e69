"""The drift of one column: the distribution of its values in a reference sample and in new rows.

A distance is between 0 and 1. For categories it is the share of rows that would have to change for
the distributions to be equal, for numbers the Kolmogorov-Smirnov statistic.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp

from baton_handoff.monitoring.units import UnitChange

ColumnKind: TypeAlias = Literal["number", "category"]

MAX_CATEGORIES = 30
"""The number of the most common categories that are compared one by one; the rest is pooled."""

MIN_PERIOD_ROWS = 30
"""The fewest values of a period of the reference that are compared with the other periods."""

_OTHERS = "(others)"
_MAX_NEW = 0.5
"""A larger share of values that never occurred before means that the source has changed."""

_MIN_EXPECTED = 30
"""Rows that a category must be expected to have before its absence counts as not by chance."""


@dataclass(frozen=True)
class Drift:
    """How the values of a column differ from the reference.

    Attributes:
        column: The column.
        kind: What the column holds.
        distance: The distance between reference and current values, 0 to 1.
        usual: The largest distance of one period of the reference from the whole reference.
        p_value: The probability of such a distance by chance, corrected for the number of columns.
        drifted: True if the distance is significant and large.
        new_values: True if most values never occurred before: they lie between the steps or outside
            the range of the reference.
        new_share: The share of such values.
        vanished: Categories that are expected and absent.
        unit: The change of unit that explains the new values, None if no change does.
    """

    column: str
    kind: ColumnKind
    distance: float
    usual: float
    p_value: float
    drifted: bool = False
    new_values: bool = False
    new_share: float = 0.0
    vanished: tuple[str, ...] = ()
    unit: UnitChange | None = None

    @property
    def source_changed(self) -> bool:
        """True if the source has changed rather than what it measures."""
        return bool(self.new_values or self.vanished)


def number_drift(
    column: str,
    reference: pd.Series,
    current: pd.Series,
    periods: pd.Series,
    unusual: float,
) -> Drift:
    """The drift of a column of numbers.

    Args:
        column: The column.
        reference: Its values in the reference sample.
        current: Its current values.
        periods: The period of each reference value.
        unusual: How many times the largest value of a single period is unusual.
    """
    old, new = reference.to_numpy(float), current.to_numpy(float)
    # The exact p-value takes minutes for thousands of rows.
    test = ks_2samp(old, new, method="asymp")
    unknown, usual_unknown = unknown_shares(old, new, periods)
    outside = float(((new < old.min()) | (new > old.max())).mean())
    return Drift(
        column,
        "number",
        distance=float(test.statistic),
        usual=_largest_period_distance(old, periods),
        p_value=float(test.pvalue),
        new_values=unknown > max(_MAX_NEW, unusual * usual_unknown) or outside > _MAX_NEW,
        new_share=max(unknown, outside),
    )


def _largest_period_distance(values: np.ndarray, periods: pd.Series) -> float:
    """The largest Kolmogorov-Smirnov distance between one period and the whole reference."""
    whole, distances = np.sort(values), [0.0]
    for _, group in pd.Series(values).groupby(periods.to_numpy()):
        if len(group) >= MIN_PERIOD_ROWS:
            # `ks_2samp` would sort the whole reference again for each of hundreds of periods.
            own = np.sort(group.to_numpy())
            for side in ("left", "right"):
                shares = np.searchsorted(whole, own, side) / len(whole)
                own_shares = np.searchsorted(own, own, side) / len(own)
                distances.append(float(np.abs(shares - own_shares).max()))
    return max(distances)


def unknown_shares(
    reference: np.ndarray, current: np.ndarray, periods: pd.Series
) -> tuple[float, float]:
    """The share of current values that the reference lacks, and its largest share in one period.

    An instrument measures in steps, which differ between units. The most common value, often zero,
    is left out: it is valid in each unit.
    """
    values, counts = np.unique(reference.astype(np.float32), return_counts=True)
    most_common = values[counts.argmax()]
    known, new = (v.astype(np.float32) for v in (reference, current))
    new = new[new != most_common]
    # In a single period, each tenth of the reference is treated as one.
    period = periods.to_numpy() if periods.nunique() > 1 else np.arange(len(known)) % 10
    table = pd.DataFrame({"value": known, "period": period})[known != most_common]
    if min(len(new), len(table)) < MIN_PERIOD_ROWS:
        return 0.0, 0.0
    in_one_period = table.groupby("value")["period"].transform("nunique") == 1
    by_period = in_one_period.groupby(table["period"]).agg(["mean", "size"])
    largest = by_period["mean"][by_period["size"] >= MIN_PERIOD_ROWS].max()
    return 1 - float(np.isin(new, values).mean()), float(np.nan_to_num(largest, nan=1.0))


def category_drift(
    column: str, reference: pd.Series, current: pd.Series, periods: pd.Series
) -> Drift:
    """The drift of a column of categories; the arguments are those of `number_drift`."""
    old, new = reference.astype(str), current.astype(str)
    known = old.value_counts().index
    pooled, pooled_new = (v.where(v.isin(known[:MAX_CATEGORIES]), _OTHERS) for v in (old, new))
    table = pd.crosstab(
        pd.concat([pooled, pooled_new], ignore_index=True),
        np.repeat(["reference", "current"], [len(pooled), len(pooled_new)]),
    )
    # The test is valid only for cells of some size, so rare categories are pooled.
    rare = table.sum(axis=1) < 10
    counts = np.vstack([table[~rare].to_numpy(), table[rare].sum().to_numpy()])
    counts = counts[counts.sum(axis=1) > 0]
    shares = pooled.value_counts(normalize=True)
    by_period = pd.crosstab(pooled, periods)
    by_period = by_period.loc[:, by_period.sum() >= MIN_PERIOD_ROWS]
    return Drift(
        column,
        "category",
        distance=_largest_distance(shares, pooled_new.value_counts(normalize=True).to_frame()),
        usual=_largest_distance(shares, by_period / by_period.sum()),
        p_value=float(chi2_contingency(counts).pvalue) if len(counts) > 1 else 1.0,
        new_share=float((~new.isin(known)).mean()),
        vanished=tuple(_vanished(shares, set(new), len(new), by_period)),
    )


def _vanished(
    shares: pd.Series, present: set[str], rows: int, by_period: pd.DataFrame
) -> Iterator[str]:
    """The categories that are expected and absent."""
    # Where most rows have a rare category, the column holds names: their absence means nothing.
    if shares.get(_OTHERS, 0.0) > _MAX_NEW:
        return
    expected = shares[rows * shares >= _MIN_EXPECTED]
    for category, share in zip(map(str, expected.index), expected, strict=True):
        absent = (by_period.sum() * share >= _MIN_EXPECTED) & (by_period.loc[category] == 0)
        if category not in {*present, _OTHERS} and not absent.any():
            yield category


def _largest_distance(shares: pd.Series, others: pd.DataFrame) -> float:
    """The largest total variation distance between a distribution and several others."""
    if others.empty:
        return 0.0
    every = shares.index.union(others.index)
    differences = others.reindex(every, fill_value=0).sub(
        shares.reindex(every, fill_value=0), axis=0
    )
    return float(differences.abs().sum().max() / 2)
