"""Random readings of a gauge in a few towns, always the same, for the tests of `monitor`."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.monitoring.inputs import BaselineVersion, PredictedRows
from baton_handoff.monitoring.quality import BrokenRule
from baton_handoff.registry.loaded import Loaded

TOWNS = ["Ulm", "Bonn", "Köln", "Jena"]


class Reading(pa.DataFrameModel):
    """A reading of a gauge."""

    town: str = pa.Field(isin=TOWNS)
    heat: float = pa.Field(nullable=True, ge=-50, le=150)
    wind: float = pa.Field(nullable=True, ge=0)
    at: pd.DatetimeTZDtype = pa.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})

    class Config:
        strict = True
        metadata = {"version": "1.0.0", "position": "input"}


def readings(rows: int, seed: int = 1, since: str = "2013-01-01", days: int = 240) -> pd.DataFrame:
    """Readings of so many days: warmer in summer, with steps of half a degree."""
    chance = np.random.default_rng(seed)
    hours = np.sort(chance.integers(0, 24 * days, rows))
    at = (pd.Timestamp(since, tz="UTC") + pd.to_timedelta(hours, "h")).as_unit("us")
    season = -np.cos(2 * np.pi * at.day_of_year / 365)
    heat = np.round(2 * (60 + 20 * season + chance.normal(0, 8, rows))) / 2
    return pd.DataFrame(
        {
            "town": chance.choice(TOWNS, rows, p=[0.4, 0.3, 0.2, 0.1]),
            "heat": heat,
            "wind": np.round(chance.gamma(4, 3, rows)),
            "at": at,
        }
    )


def autumn(rows: int, seed: int = 1) -> pd.DataFrame:
    """Readings of one month."""
    return readings(rows, seed, "2013-09-01", 30)


def chance_of(table: pd.DataFrame) -> np.ndarray:
    """The predicted probability, which grows with the wind."""
    predicted: np.ndarray = 1 / (1 + np.exp((18 - table["wind"].fillna(12).to_numpy()) / 4))
    return predicted


def labels_of(table: pd.DataFrame, more: float = 0.0, seed: int = 3) -> np.ndarray:
    """Labels with the predicted probability, or a larger one to make the model worse."""
    likely = np.clip(chance_of(table) + more, 0, 1)
    labels: np.ndarray = (np.random.default_rng(seed).random(len(table)) < likely).astype(int)
    return labels


def baseline(**other: Any) -> BaselineVersion:
    """A version with its evaluation."""
    tested = readings(4000, seed=2, since="2013-09-01", days=90)
    stated: dict[str, Any] = {
        "predicted": {"model": chance_of(tested)},
        "kind": "probability",
        "prediction_column": "chance",
        "groups": ("town",),
        "time": "at",
        "training_sample": readings(8000),
    }
    evaluation = Evaluation(tested, labels_of(tested), **{**stated, **other})
    predict = lambda table: pd.DataFrame({"chance": chance_of(table)})  # noqa: E731
    return BaselineVersion(Loaded("gauge", 3, predict), (Reading, Reading), evaluation)


def predicted_rows(
    table: pd.DataFrame, refused: pd.DataFrame | None = None, **rules: int
) -> PredictedRows:
    """Rows that the service has predicted for, and some that it has refused, by column."""
    rows = table if refused is None else pd.concat([table, refused], ignore_index=True)
    predicted = pd.Series(chance_of(table), name="chance")
    broken = Counter({BrokenRule(column, "must be at most 150"): n for column, n in rules.items()})
    return PredictedRows(rows, predicted, rows["at"], None, broken)
