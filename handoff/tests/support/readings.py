"""What the tests of `monitor` look at: a gauge in a few towns, by chance and always the same."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.monitoring.inputs import Watched
from baton_handoff.monitoring.monitor import Known
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
    """What the model says: the more wind, the likelier."""
    said: np.ndarray = 1 / (1 + np.exp((18 - table["wind"].fillna(12).to_numpy()) / 4))
    return said


def came_of(table: pd.DataFrame, more: float = 0.0, seed: int = 3) -> np.ndarray:
    """What came true: what the model says, and some more where the world has moved."""
    likely = np.clip(chance_of(table) + more, 0, 1)
    came: np.ndarray = (np.random.default_rng(seed).random(len(table)) < likely).astype(int)
    return came


def known(**other: Any) -> Known:
    """A version with what it comes with."""
    tested = readings(4000, seed=2, since="2013-09-01", days=90)
    stated: dict[str, Any] = {
        "predicted": {"model": chance_of(tested)},
        "kind": "probability",
        "prediction_column": "chance",
        "groups": ("town",),
        "time": "at",
        "training_sample": readings(8000),
    }
    evaluation = Evaluation(tested, came_of(tested), **{**stated, **other})
    predict = lambda table: pd.DataFrame({"chance": chance_of(table)})  # noqa: E731
    return Known(Loaded("gauge", 3, predict), Reading, evaluation)


def watched(table: pd.DataFrame, refused: pd.DataFrame | None = None, **rules: int) -> Watched:
    """Rows as the service has answered them, and some that it has refused."""
    rows = table if refused is None else pd.concat([table, refused], ignore_index=True)
    said = pd.Series(chance_of(table), name="chance")
    return Watched(rows, said, rows["at"], None, Counter(rules), Counter({3: len(table)}))
