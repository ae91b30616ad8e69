"""Drift: how the values of rows differ from those that a model was trained on, by column.

In a large table each difference is significant, so a distance must also be large, and larger than
that of any period of the training data: a season is no drift. Times always increase, so they are
left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, ks_2samp

from baton_handoff.config.settings import MonitorSettings
from baton_handoff.contracts import Contract, canonical_form
from baton_handoff.monitoring.columns import (
    ColumnKind,
    Drift,
    category_drift,
    number_drift,
    unknown_shares,
)
from baton_handoff.monitoring.periods import one_period
from baton_handoff.monitoring.units import UnitChange, unit_change


@dataclass(frozen=True)
class Samples:
    """Current rows and the reference that they are compared with.

    Attributes:
        reference: Rows that the model was trained on, with its predictions for them.
        current: The rows of the period, with the predictions.
        kinds: The columns to compare and what they hold.
        prediction_column: The column that holds the predictions.
        periods: The period of each reference row.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    kinds: Mapping[str, ColumnKind]
    prediction_column: str
    periods: pd.Series


def column_kinds(contract: Contract) -> dict[str, ColumnKind]:
    """The columns of a contract that can drift; numbers from a list are categories."""
    kinds: dict[str, ColumnKind] = {}
    for name, column in canonical_form(contract)["columns"].items():
        listed = any(check["name"] == "isin" for check in column["checks"])
        if column["type"] in ("integer", "number"):
            kinds[name] = "category" if listed else "number"
        elif column["type"] in ("string", "boolean"):
            kinds[name] = "category"
    return kinds


def drifts(samples: Samples, settings: MonitorSettings) -> list[Drift]:
    """The drift of each column that has enough values.

    Args:
        samples: The rows to compare.
        settings: The limits.
    """
    found = []
    for column, kind in samples.kinds.items():
        reference, current = (t[column].dropna() for t in (samples.reference, samples.current))
        if min(len(reference), len(current)) >= settings.least_rows:
            periods = samples.periods[reference.index]
            drift = (
                number_drift(column, reference, current, periods, settings.unusual)
                if kind == "number"
                else category_drift(column, reference, current, periods)
            )
            # Predictions come from the model, not from a source that could change.
            predicted = column == samples.prediction_column
            found.append(replace(drift, new_values=False, vanished=()) if predicted else drift)
    if not found:
        return []
    # Columns depend on each other, so the correction is that of Benjamini and Yekutieli.
    p_values = false_discovery_control([drift.p_value for drift in found], method="by")
    return [
        replace(
            drift,
            p_value=float(p_value),
            drifted=bool(p_value < settings.significance)
            and drift.distance > max(settings.effect, settings.unusual * drift.usual),
            unit=_unit(samples, drift.column) if drift.new_values else None,
        )
        for drift, p_value in zip(found, p_values, strict=True)
    ]


def _unit(samples: Samples, column: str) -> UnitChange | None:
    """The change of unit that explains why most values of a column never occurred before."""
    tables = samples.reference, samples.current
    reference, current = (table[column].dropna().to_numpy(float) for table in tables)
    whole = one_period(samples.reference)

    def between_steps(values: np.ndarray) -> float:
        return unknown_shares(reference, values, whole)[0]

    def distance(values: np.ndarray) -> float:
        return float(ks_2samp(reference, values, method="asymp").statistic)

    # Steps identify a unit best; values that were rounded after the change have lost them.
    return unit_change(current, between_steps) or unit_change(current, distance)
