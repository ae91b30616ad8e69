"""Drift: how far the values of rows lie from those that a model has learnt from, by column.

What large tables make certain is not yet of any importance, so a distance has to be large as well,
and larger than what the periods that the model has learnt from have shown among themselves: seasons
are no news. Moments are left out: they always move on, and say nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, ks_2samp

from baton_handoff.config.settings import MonitorSettings
from baton_handoff.contracts import Contract, canonical_form
from baton_handoff.monitoring.columns import Drift, Kind, category, number, unseen
from baton_handoff.monitoring.units import unit_change


@dataclass(frozen=True)
class Held:
    """Rows, and the rows that they are held against.

    Attributes:
        reference: Rows that the model has learnt from, with what it predicts for them.
        current: The rows of the period, with what was predicted.
        kinds: The columns that can drift, and what they hold.
        answer: The column that holds what was predicted.
        periods: The period of each row of the reference, None where there are none to compare.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    kinds: Mapping[str, Kind]
    answer: str
    periods: pd.Series | None


def kinds_of(contract: Contract) -> dict[str, Kind]:
    """The columns that can be looked at, and what they hold: numbers that are a choice are one."""
    kinds: dict[str, Kind] = {}
    for name, column in canonical_form(contract)["columns"].items():
        chosen = any(check["name"] == "isin" for check in column["checks"])
        if column["type"] in ("integer", "number"):
            kinds[name] = "category" if chosen else "number"
        elif column["type"] in ("string", "boolean"):
            kinds[name] = "category"
    return kinds


def drifts(held: Held, settings: MonitorSettings) -> list[Drift]:
    """What became of each column, as far as enough rows have a value there.

    Args:
        held: Rows, and those that they are held against.
        settings: What is worth an alert.
    """
    found = []
    for column, kind in held.kinds.items():
        learnt, now = held.reference[column].dropna(), held.current[column].dropna()
        if min(len(learnt), len(now)) >= settings.least_rows:
            when = None if held.periods is None else held.periods[learnt.index]
            drift = (
                number(column, learnt, now, when, settings.unusual)
                if kind == "number"
                else category(column, learnt, now, when)
            )
            # No source delivers what is predicted.
            computed = column == held.answer
            found.append(replace(drift, strange=False, vanished=()) if computed else drift)
    if not found:
        return []
    chances = false_discovery_control([drift.chance for drift in found], method="by")
    judged = [
        _judged(replace(drift, chance=float(chance)), settings)
        for drift, chance in zip(found, chances, strict=True)
    ]
    return [replace(drift, unit=_unit(drift, held)) if drift.strange else drift for drift in judged]


def _judged(drift: Drift, settings: MonitorSettings) -> Drift:
    certain = drift.chance < settings.significance
    far = drift.distance > max(settings.effect, settings.unusual * drift.usual)
    return replace(drift, drifted=certain and far)


def _unit(drift: Drift, held: Held) -> str:
    """The change of a unit that explains why most values never occurred."""
    tables = held.reference, held.current
    learnt, now = (table[drift.column].dropna().to_numpy(float) for table in tables)

    def off_the_steps(values: np.ndarray) -> float:
        return unseen(learnt, values, None)[0]

    def far_off(values: np.ndarray) -> float:
        return float(ks_2samp(learnt, values, method="asymp").statistic)

    # Steps say it best; what was rounded meanwhile has lost them.
    return unit_change(now, off_the_steps) or unit_change(now, far_off)
