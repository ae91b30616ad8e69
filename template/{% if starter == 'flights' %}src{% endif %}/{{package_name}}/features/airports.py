"""Where a flight goes."""

from typing import Any

import narwhals as nw
import numpy as np

from .static import look_up

_NAMES = {
    "lat": "destination_latitude",
    "lon": "destination_longitude",
    "alt": "destination_altitude_ft",
}


def features(flights: nw.DataFrame[Any], places: nw.DataFrame[Any]) -> dict[str, np.ndarray]:
    """Position and altitude of each destination, NaN where the list lacks it."""
    return look_up(flights["destination"], places, "faa", _NAMES)
