"""The plane a flight is scheduled with."""

from typing import Any

import narwhals as nw
import numpy as np

from .static import look_up

_NAMES = {"year": "built", "seats": "seats"}


def features(
    flights: nw.DataFrame[Any], departures: np.ndarray, planes: nw.DataFrame[Any]
) -> dict[str, np.ndarray]:
    """The age and the seats of each flight's plane, NaN where the register lacks it."""
    plane = look_up(flights["tail_number"], planes, "tailnum", _NAMES)
    year = departures.astype("datetime64[Y]").astype(np.int64) + 1970
    return {"aircraft_age_years": year - plane["built"], "aircraft_seats": plane["seats"]}
