"""One column, as a model has learnt from it and as it is now.

A distance is between 0 and 1: the share of rows that would have to move for both to look alike
(categories), or the largest difference of the shares below any value (numbers, the
Kolmogorov-Smirnov distance).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp

Kind: TypeAlias = Literal["number", "category"]

MOST = 30
"""So many categories are looked at one by one; the rarer ones are one together."""

OTHERS = "(others)"

STRANGE = 0.5
"""The share of values that the model has never met, beyond which they are no longer its column."""

_EXPECTED = 30
"""A category is missed where so many rows would have it: chance does not leave out as many."""

FEW = 30
"""A period with fewer values says nothing."""


@dataclass(frozen=True)
class Drift:
    """What became of one column.

    Attributes:
        column: Its name.
        kind: What it holds.
        distance: How far it lies from what was learnt, 0 to 1.
        usual: How far the farthest period lay that was learnt from, 0 where there are no periods.
        chance: How probable such a distance is by chance, corrected for the number of columns.
        drifted: Whether that is a drift.
        strange: Whether most values are such as never occurred: between the steps that they used to
            have, or beyond all of them.
        unseen: The share of such values.
        vanished: Categories that are missed.
        unit: The change of a unit that would explain it, empty where none would.
    """

    column: str
    kind: Kind
    distance: float
    usual: float
    chance: float
    drifted: bool = False
    strange: bool = False
    unseen: float = 0.0
    vanished: tuple[str, ...] = ()
    unit: str = ""

    @property
    def at_the_source(self) -> bool:
        """Whether it is no world that moves like that, but a source that was changed."""
        return bool(self.strange or self.vanished)


def number(
    column: str,
    learnt: pd.Series,
    now: pd.Series,
    periods: pd.Series | None,
    unusual: float,
) -> Drift:
    """A column of numbers.

    Args:
        column: Its name.
        learnt: The values that the model has learnt from.
        now: The values to hold against them.
        periods: The period of each of the former, None where there are none to compare.
        unusual: How many times farther off than the farthest period is unusual.
    """
    before, after = learnt.to_numpy(float), now.to_numpy(float)
    test = ks_2samp(before, after, method="asymp")
    never, usually = unseen(before, after, periods)
    outside = float(((after < before.min()) | (after > before.max())).mean())
    return Drift(
        column,
        "number",
        distance=float(test.statistic),
        usual=_farthest(before, periods),
        chance=float(test.pvalue),
        strange=never > max(STRANGE, unusual * usually) or outside > STRANGE,
        unseen=max(never, outside),
    )


def _farthest(values: np.ndarray, periods: pd.Series | None) -> float:
    """The distance of that period which lies farthest from all of them together."""
    if periods is None:
        return 0.0
    whole, distances = np.sort(values), [0.0]
    for places in _places(periods):
        own = np.sort(values[places])
        for side in ("left", "right"):
            share = np.searchsorted(whole, own, side) / len(whole)
            distances.append(
                float(np.abs(share - np.searchsorted(own, own, side) / len(own)).max())
            )
    return max(distances)


def unseen(before: np.ndarray, after: np.ndarray, periods: pd.Series | None) -> tuple[float, float]:
    """The share of values that never occurred, and the largest such share of a learnt period.

    A gauge has steps, and each unit its own; the commonest value, often zero, is of every unit.
    """
    values, counts = np.unique(before.astype(np.float32), return_counts=True)
    commonest = values[counts.argmax()]
    known, asked = (v.astype(np.float32) for v in (before, after))
    rest = asked[asked != commonest]
    when = np.arange(len(before)) % 10 if periods is None else periods.to_numpy()
    table = pd.DataFrame({"value": known, "period": when})[known != commonest]
    if min(len(rest), len(table)) < FEW:
        return 0.0, 0.0
    alone = table.groupby("value")["period"].transform("nunique") == 1
    by_period = alone.groupby(table["period"]).agg(["mean", "size"])
    usually = by_period["mean"][by_period["size"] >= FEW].max()
    return 1 - float(np.isin(rest, values).mean()), float(np.nan_to_num(usually, nan=1.0))


def category(column: str, learnt: pd.Series, now: pd.Series, periods: pd.Series | None) -> Drift:
    """A column of categories.

    Args:
        column: Its name.
        learnt: The values that the model has learnt from.
        now: The values to hold against them.
        periods: The period of each of the former, None where there are none to compare.
    """
    before, after = learnt.astype(str), now.astype(str)
    shares = before.value_counts(normalize=True)
    kept = set(shares.index[:MOST])
    pooled, asked = (v.where(v.isin(kept), OTHERS) for v in (before, after))
    table = pd.crosstab(
        pd.concat([pooled, asked], ignore_index=True),
        np.repeat(["before", "after"], [len(pooled), len(asked)]),
    )
    rare = table.sum(axis=1) < 10
    counts = np.vstack([table[~rare].to_numpy(), table[rare].sum().to_numpy()])
    counts = counts[counts.sum(axis=1) > 0]
    chance = float(chi2_contingency(counts).pvalue) if len(counts) > 1 else 1.0
    whole = pooled.value_counts(normalize=True)
    own = _by_period(pooled, periods)
    return Drift(
        column,
        "category",
        distance=_moved(whole, asked.value_counts(normalize=True).to_frame()),
        usual=_moved(whole, own / own.sum()),
        chance=chance,
        unseen=float((~after.isin(shares.index)).mean()),
        vanished=tuple(_vanished(whole, set(after), len(after), own)),
    )


def _by_period(values: pd.Series, periods: pd.Series | None) -> pd.DataFrame:
    """How often each value occurs in each period that has enough: a column for each."""
    if periods is None:
        return pd.DataFrame(index=values.unique())
    counts = pd.crosstab(values, periods)
    return counts.loc[:, counts.sum() >= FEW]


def _vanished(shares: pd.Series, there: set[str], rows: int, own: pd.DataFrame) -> Iterator[str]:
    """The categories that are missed; where most rows are of a rare one, they are only names."""
    if shares.get(OTHERS, 0.0) > STRANGE:
        return
    for category, share in zip(map(str, shares.index), shares, strict=True):
        if rows * share < _EXPECTED:
            return  # the rarer ones follow
        once_away = ((own.sum() * share >= _EXPECTED) & (own.loc[category] == 0)).any()
        if category not in {*there, OTHERS} and not once_away:
            yield category


def _moved(whole: pd.Series, shares: pd.DataFrame) -> float:
    """How much of all rows the farthest of several distributions has elsewhere."""
    if shares.empty:
        return 0.0
    all_ = whole.index.union(shares.index)
    away = shares.reindex(all_, fill_value=0).sub(whole.reindex(all_, fill_value=0), axis=0)
    return float(away.abs().sum().max() / 2)


def _places(periods: pd.Series | None) -> Iterator[np.ndarray]:
    """The positions of the rows of each period that has enough."""
    if periods is not None:
        for places in pd.Series(np.arange(len(periods))).groupby(periods.to_numpy()):
            if len(places[1]) >= FEW:
                yield places[1].to_numpy()
