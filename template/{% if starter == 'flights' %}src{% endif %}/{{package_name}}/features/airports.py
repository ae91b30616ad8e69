"""Where a flight goes."""

from typing import Any

import narwhals as nw


def join(flights: nw.DataFrame[Any], places: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Add position and altitude of each destination, null where the list lacks it."""
    known = places.select(
        nw.col("faa").alias("destination"),
        nw.col("lat").alias("destination_latitude"),
        nw.col("lon").alias("destination_longitude"),
        nw.col("alt").alias("destination_altitude_ft"),
    )
    return flights.join(known, on="destination", how="left")
