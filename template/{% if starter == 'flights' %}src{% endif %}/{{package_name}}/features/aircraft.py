"""Features of the plane that a flight is scheduled with."""

from typing import Any

import narwhals as nw
import numpy as np

from ..contracts import Planes
from ..contracts.engine import DataFrame
from .static import Register

_NAMES = {"year": "built", "seats": "seats"}


def planes_by_tail_number(planes: DataFrame[Planes]) -> Register[Planes]:
    """The year in which each plane was built, and its seats."""
    return Register(nw.from_native(planes), "tailnum", _NAMES)


def features(
    flights: nw.DataFrame[Any], departures: np.ndarray, planes: Register[Planes]
) -> dict[str, np.ndarray]:
    """The age and the seats of each flight's plane, NaN where the register lacks it."""
    plane = planes.look_up(flights["tail_number"])
    year = departures.astype("datetime64[Y]").astype(np.int64) + 1970
    return {"aircraft_age_years": year - plane["built"], "aircraft_seats": plane["seats"]}
