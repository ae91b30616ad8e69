"""When a flight leaves, on the clocks and calendars of the people who run the airport."""

from typing import Any

import narwhals as nw
import numpy as np
from narwhals.series_dt import SeriesDateTimeNamespace

TIME_ZONE = "America/New_York"


def local_departure(flights: nw.DataFrame[Any]) -> SeriesDateTimeNamespace[Any]:
    """The scheduled departures in local time: at 8 pm in New York, UTC has reached the next day."""
    return flights["scheduled_departure"].dt.convert_time_zone(TIME_ZONE).dt


def features(flights: nw.DataFrame[Any]) -> dict[str, np.ndarray]:
    """The hour of the day (7.5 is half past seven) and the day of the week (1 is Monday)."""
    local = local_departure(flights)
    return {
        "hour": local.hour().to_numpy() + local.minute().to_numpy() / 60,
        "weekday": local.weekday().to_numpy().astype(np.int64),
    }
