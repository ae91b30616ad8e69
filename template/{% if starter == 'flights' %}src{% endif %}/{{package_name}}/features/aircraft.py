"""The plane a flight is scheduled with."""

from typing import Any

import narwhals as nw

from .calendar import TIME_ZONE


def look_up(flights: nw.DataFrame[Any], planes: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """The age and the seats of each flight's plane, null where the register lacks it."""
    known = planes.select(nw.col("tailnum").alias("tail_number"), "year", "seats")
    found = (
        flights.select("tail_number", "scheduled_departure")
        .with_row_index("row")
        .join(known, on="tail_number", how="left")
        .sort("row")
    )
    local = nw.col("scheduled_departure").dt.convert_time_zone(TIME_ZONE).dt
    return found.select(
        (local.year() - nw.col("year")).cast(nw.Float64).alias("aircraft_age_years"),
        nw.col("seats").cast(nw.Float64).alias("aircraft_seats"),
    )
