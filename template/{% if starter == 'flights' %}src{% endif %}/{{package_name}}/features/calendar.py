"""When a flight leaves, on the clocks and calendars of the people who run the airport."""

from typing import Any

import narwhals as nw
import numpy as np

TIME_ZONE = "America/New_York"


def local_departures(flights: nw.DataFrame[Any]) -> np.ndarray:
    """The scheduled departures in local time: at 8 pm in New York, UTC has reached the next day.

    As numpy's moments: what a series prepares for each step costs one row more than the step.
    """
    local = flights["scheduled_departure"].dt.convert_time_zone(TIME_ZONE)
    return local.dt.replace_time_zone(None).to_numpy()


def features(departures: np.ndarray) -> dict[str, np.ndarray]:
    """The hour of the day (7.5 is half past seven) and the day of the week (1 is Monday)."""
    midnight = departures.astype("datetime64[D]")
    days = midnight.astype(np.int64)  # since a Thursday, the first of 1970
    return {
        "hour": (departures - midnight) / np.timedelta64(1, "h"),
        "weekday": (days + 3) % 7 + 1,
    }
