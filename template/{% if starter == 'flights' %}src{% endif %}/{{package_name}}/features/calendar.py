"""Departure times in the local time of the airport."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

TIME_ZONE = "America/New_York"


def local_departures(moments: np.ndarray) -> np.ndarray:
    """Departures in local time, from UTC: at 8 pm in New York, UTC is on the next day.

    As numpy's moments: what a series prepares for each step costs one row more than the step.
    """
    # Clocks change on the hour, so look up each hour once.
    hours, each = np.unique(moments.astype("datetime64[h]"), return_inverse=True)
    zone = ZoneInfo(TIME_ZONE)
    seconds = hours.astype("datetime64[s]").astype(np.int64).tolist()
    ahead = [datetime.fromtimestamp(second, zone).utcoffset() for second in seconds]
    local: np.ndarray = moments + np.array(ahead, "timedelta64[us]")[each]
    return local


def features(departures: np.ndarray) -> dict[str, np.ndarray]:
    """The hour of the day (7.5 is half past seven) and the day of the week (1 is Monday)."""
    midnight = departures.astype("datetime64[D]")
    days = midnight.astype(np.int64)  # since a Thursday, the first of 1970
    return {
        "hour": (departures - midnight) / np.timedelta64(1, "h"),
        "weekday": (days + 3) % 7 + 1,
    }
