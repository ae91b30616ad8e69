"""The feature step in good hand-written polars code, for these tables only."""

from datetime import timedelta

import polars as pl

PUBLISHED_AFTER = timedelta(hours=1)
FRESH_FOR = timedelta(hours=6)
SCHEDULE = {
    "carrier": "carrier",
    "flight": "flight_number",
    "tailnum": "tail_number",
    "origin": "origin",
    "dest": "destination",
    "distance": "distance_mi",
    "scheduled_departure": "scheduled_departure",
}
WEATHER = {
    "time_hour": "weather_observed_at",
    "temp": "temperature_f",
    "dewp": "dew_point_f",
    "humid": "humidity_pct",
    "wind_dir": "wind_direction_deg",
    "wind_speed": "wind_speed_mph",
    "wind_gust": "wind_gust_mph",
    "precip": "precipitation_in",
    "pressure": "pressure_hpa",
    "visib": "visibility_mi",
}


def schedule(flights: pl.DataFrame, weather: pl.DataFrame) -> pl.DataFrame:
    """Return each flight with the last fresh weather at its origin, in the same order."""
    known = flights.select(pl.col(source).alias(name) for source, name in SCHEDULE.items())
    observed = (
        weather.rename(WEATHER)
        .with_columns(published_at=pl.col("weather_observed_at") + PUBLISHED_AFTER)
        .sort("published_at")
    )
    joined = (
        known.select("origin", "scheduled_departure")
        .with_row_index("row")
        .sort("scheduled_departure")
        .join_asof(
            observed,
            left_on="scheduled_departure",
            right_on="published_at",
            by="origin",
            tolerance=FRESH_FOR - PUBLISHED_AFTER,
            check_sortedness=False,
        )
        .select("row", *WEATHER.values())
        .sort("row")
        .drop("row")
    )
    return known.hstack(joined)


def features(flights: pl.DataFrame, planes: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Return the features of each flight, in the same order."""
    local = pl.col("scheduled_departure").dt.convert_time_zone("America/New_York").dt
    return (
        flights.join(
            planes.select("tailnum", "year", "seats"),
            left_on="tail_number",
            right_on="tailnum",
            how="left",
            maintain_order="left",
        )
        .join(
            places.select("faa", "lat", "lon", "alt"),
            left_on="destination",
            right_on="faa",
            how="left",
            maintain_order="left",
        )
        .select(
            *("carrier", "origin", "destination", "distance_mi"),
            (local.hour() + local.minute() / 60).alias("hour"),
            local.weekday().cast(pl.Int64).alias("weekday"),
            *list(WEATHER.values())[1:],
            destination_latitude="lat",
            destination_longitude="lon",
            destination_altitude_ft="alt",
            aircraft_age_years=local.year() - pl.col("year"),
            aircraft_seats=pl.col("seats").cast(pl.Float64),
        )
    )
