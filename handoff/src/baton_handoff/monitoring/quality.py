"""Quality: what a contract refuses, and values that are missing more often than they used to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest, false_discovery_control

from baton_handoff.config.settings import MonitorSettings
from baton_handoff.monitoring.columns import FEW


@dataclass(frozen=True)
class Missing:
    """How many values of a column are missing.

    Attributes:
        column: Its name.
        share: The share that is missing now.
        before: The share that was missing in what the model has learnt from.
        usual: The largest share of a period of it, the whole's where there are no periods.
        grown: Whether that is more than it ever was.
    """

    column: str
    share: float
    before: float
    usual: float
    grown: bool = False


@dataclass(frozen=True)
class Quality:
    """The quality of rows.

    Attributes:
        rows: How many there are.
        refused: How many of them their contract refuses.
        rules: For each rule, with its column, how many rows break it.
        missing: How many values are missing, by column.
    """

    rows: int
    refused: int
    rules: Counter[str]
    missing: Sequence[Missing]

    @property
    def share_refused(self) -> float:
        """The share of rows that their contract refuses."""
        return self.refused / self.rows if self.rows else 0.0


def column_of(rule: str) -> str:
    """The column that a broken rule is about, empty where it is about whole rows."""
    column, colon, _ = rule.partition(": ")
    return column if colon else ""


def missing(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    periods: pd.Series | None,
    settings: MonitorSettings,
) -> list[Missing]:
    """How many values of each column are missing, then and now.

    Args:
        reference: Rows that the model has learnt from.
        current: Rows to hold against them.
        periods: The period of each row of the reference, None where there are none to compare.
        settings: What is worth an alert.
    """
    if len(current) < settings.least_rows:
        return []
    gaps, then = current.isna(), reference.isna()
    before = then.mean()
    usual = before
    if periods is not None:
        by_period = then.groupby(periods)
        usual = by_period.mean()[by_period.size() >= FEW].max()
    chances = [
        binomtest(int(gaps[c].sum()), len(gaps), float(before[c]), "greater").pvalue
        for c in gaps.columns
    ]
    certain = false_discovery_control(chances, method="by") < settings.significance
    share = gaps.mean()
    grown = certain & (share - before > settings.missing) & (share > settings.unusual * usual)
    return [
        Missing(str(c), float(share[c]), float(before[c]), float(usual[c]), bool(grown[c]))
        for c in np.array(gaps.columns)
    ]
