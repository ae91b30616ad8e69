"""A sample of rows that arrive in parts, in memory that does not grow with them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

MAX_ROWS = 50_000
"""The most rows that are compared. The reference has fewer, at most 20,000: more rows would hardly
show more."""


class Sample:
    """A uniform sample of at most MAX_ROWS rows, in their order; all rows if there are no more.

    Attributes:
        count: The number of all rows.
        ends: The first and the last time of all rows, empty if unknown.
    """

    def __init__(self) -> None:
        self.count = 0
        self.ends: tuple[pd.Timestamp, ...] = ()
        self._parts: list[tuple[pd.DataFrame, pd.DataFrame]] = []
        self._keys: list[np.ndarray] = []
        self._random = np.random.default_rng(0)

    def add(
        self,
        rows: pd.DataFrame,
        facts: pd.DataFrame,
        chosen: np.ndarray,
        times: pd.Series | None = None,
    ) -> None:
        """Add some of the rows of a part, with what else is known of each, and its time."""
        if times is not None and chosen.any():
            every = (*self.ends, times[chosen].min(), times[chosen].max())
            self.ends = (min(every), max(every))
        self._parts.append((rows[chosen], facts[chosen]))
        self._keys.append(self._random.random(int(chosen.sum())))
        self.count += int(chosen.sum())
        if sum(map(len, self._keys)) > 2 * MAX_ROWS:
            self._shrink()

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The sampled rows, and what else is known of them."""
        self._shrink()
        return self._parts[0]

    def _shrink(self) -> None:
        # The rows with the smallest of random numbers are a uniform sample, whatever comes later.
        keys = np.concatenate(self._keys)
        chosen = np.arange(len(keys))
        if len(keys) > MAX_ROWS:
            chosen = np.sort(np.argpartition(keys, MAX_ROWS)[:MAX_ROWS])
        rows, facts = (
            _joined(tables).iloc[chosen].reset_index(drop=True)
            for tables in zip(*self._parts, strict=True)
        )
        self._parts, self._keys = [(rows, facts)], [keys[chosen]]


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    # An empty part would change the types of the columns.
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
