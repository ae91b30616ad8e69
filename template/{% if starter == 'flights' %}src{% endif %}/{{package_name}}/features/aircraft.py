"""The plane a flight is scheduled with."""

from typing import Any

import narwhals as nw

from .calendar import TIME_ZONE


def join(flights: nw.DataFrame[Any], planes: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Add the age and the seats of each flight's plane, null where the register lacks it."""
    known = planes.select(
        nw.col("tailnum").alias("tail_number"),
        nw.col("year").alias("built"),
        nw.col("seats").cast(nw.Float64).alias("aircraft_seats"),
    )
    age = nw.col("scheduled_departure").dt.convert_time_zone(TIME_ZONE).dt.year() - nw.col("built")
    return flights.join(known, on="tail_number", how="left").with_columns(
        age.cast(nw.Float64).alias("aircraft_age_years")
    )
