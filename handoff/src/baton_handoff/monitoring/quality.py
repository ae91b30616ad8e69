"""Data quality: broken rules of the contract, and missing values."""

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
from scipy.stats import binomtest, false_discovery_control

from baton_handoff.config.settings import MonitorSettings
from baton_handoff.monitoring.columns import MIN_PERIOD_ROWS


class BrokenRule(NamedTuple):
    """A rule of the contract that rows break; the column is None for a rule about whole rows."""

    column: str | None
    rule: str


@dataclass(frozen=True)
class MissingValues:
    """The missing values of a column.

    Attributes:
        column: The column.
        share: The share of rows without a value.
        reference_share: The same share of the reference.
        usual: Its largest value in one period of the reference.
        increased: True if the share is larger than ever before.
    """

    column: str
    share: float
    reference_share: float
    usual: float
    increased: bool


def missing_values(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    periods: pd.Series,
    settings: MonitorSettings,
) -> list[MissingValues]:
    """The missing values of each column; nothing if there are too few rows.

    Args:
        reference: Rows that the model was trained on.
        current: The rows to compare with them.
        periods: The period of each reference row.
        settings: The limits.
    """
    if len(current) < settings.least_rows:
        return []
    absent, reference_absent = current.isna(), reference.isna()
    share, reference_share = absent.mean(), reference_absent.mean()
    by_period = reference_absent.groupby(periods)
    usual = by_period.mean()[by_period.size() >= MIN_PERIOD_ROWS].max()
    # One-sided: fewer missing values are no problem.
    p_values = [
        binomtest(int(absent[c].sum()), len(absent), float(reference_share[c]), "greater").pvalue
        for c in absent.columns
    ]
    increased = (
        (false_discovery_control(p_values, method="by") < settings.significance)
        & (share - reference_share > settings.missing)
        & (share > settings.unusual * usual)
    )
    return [
        MissingValues(
            str(c), float(share[c]), float(reference_share[c]), float(usual[c]), bool(increased[c])
        )
        for c in absent.columns
    ]
