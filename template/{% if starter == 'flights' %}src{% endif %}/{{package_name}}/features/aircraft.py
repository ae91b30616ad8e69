"""The plane a flight is scheduled with."""

from typing import Any

import narwhals as nw
import numpy as np

from .calendar import local_departure
from .static import look_up

_NAMES = {"year": "built", "seats": "seats"}


def features(flights: nw.DataFrame[Any], planes: nw.DataFrame[Any]) -> dict[str, np.ndarray]:
    """The age and the seats of each flight's plane, NaN where the register lacks it."""
    plane = look_up(flights["tail_number"], planes, "tailnum", _NAMES)
    return {
        "aircraft_age_years": local_departure(flights).year().to_numpy() - plane["built"],
        "aircraft_seats": plane["seats"],
    }
