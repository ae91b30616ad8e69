"""Features of the destination."""

from typing import Any

import narwhals as nw
import numpy as np

from ..contracts import Airports
from ..contracts.engine import DataFrame
from .static import Register

_NAMES = {
    "lat": "destination_latitude",
    "lon": "destination_longitude",
    "alt": "destination_altitude_ft",
}


def airports_by_code(airports: DataFrame[Airports]) -> Register[Airports]:
    """Position and altitude of each airport."""
    return Register(nw.from_native(airports), "faa", _NAMES)


def features(flights: nw.DataFrame[Any], airports: Register[Airports]) -> dict[str, np.ndarray]:
    """Position and altitude of each destination, NaN where the list lacks it."""
    return airports.look_up(flights["destination"])
