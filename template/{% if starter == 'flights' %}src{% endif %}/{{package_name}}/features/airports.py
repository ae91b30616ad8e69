"""Where a flight goes."""

from typing import Any

import narwhals as nw


def look_up(flights: nw.DataFrame[Any], places: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Position and altitude of each destination, null where the list lacks it."""
    known = places.select(nw.col("faa").alias("destination"), "lat", "lon", "alt")
    found = (
        flights.select("destination")
        .with_row_index("row")
        .join(known, on="destination", how="left")
        .sort("row")
    )
    return found.select(
        nw.col("lat").alias("destination_latitude"),
        nw.col("lon").alias("destination_longitude"),
        nw.col("alt").alias("destination_altitude_ft"),
    )
