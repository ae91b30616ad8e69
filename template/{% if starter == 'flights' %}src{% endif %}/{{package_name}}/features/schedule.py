"""From the raw sources to the model's input: the data known at each flight's departure.

The table of observations knows the whole year, a flight only its past: an observation counts from
the moment its hour is over, and not for longer than it is fresh.
"""

import warnings
from typing import Any

import narwhals as nw

from ..contracts import Flights, ScheduledFlight, Weather
from ..contracts.data import FRESH_FOR, PUBLISHED_AFTER
from ..contracts.engine import DataFrame, validated

_NAMES = {
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


def scheduled_flights(
    flights: DataFrame[Flights], observations: DataFrame[Weather]
) -> DataFrame[ScheduledFlight]:
    """Each flight of the source as a request to the service would contain it, in the same order.

    Raises:
        pandera.errors.SchemaError: The result breaks the contract `ScheduledFlight`.
    """
    table = schedule(nw.from_native(flights), nw.from_native(observations))
    return validated(table.to_native(), ScheduledFlight)


def schedule(flights: nw.DataFrame[Any], observations: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """The same for any engine, unchecked."""
    known = flights.select(
        "carrier",
        nw.col("flight").alias("flight_number"),
        nw.col("tailnum").alias("tail_number"),
        "origin",
        nw.col("dest").alias("destination"),
        nw.col("distance").alias("distance_mi"),
        "scheduled_departure",
    )
    table = join_last_known(known, observations)
    return nw.maybe_reset_index(table.select(*ScheduledFlight.to_schema().columns))


def join_last_known(flights: nw.DataFrame[Any], weather: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Add to each flight the last observation at its origin that was published by its departure.

    Args:
        flights: With `origin` and `scheduled_departure`, in any order, which is kept.
        weather: A table that meets the contract `Weather`.
    """
    observed = weather.select(
        "origin",
        nw.col("time_hour").alias("weather_observed_at"),
        (nw.col("time_hour") + nw.lit(PUBLISHED_AFTER)).alias("published_at"),
        *(nw.col(source).alias(name) for source, name in _NAMES.items()),
    ).sort("published_at")
    # Sort only the columns that the join needs, then restore the order of the flights.
    departures = flights.select("origin", "scheduled_departure").with_row_index("row")
    with warnings.catch_warnings():
        # Both sides are sorted; polars can't verify that within groups.
        warnings.filterwarnings("ignore", "Sortedness of columns")
        known = departures.sort("scheduled_departure").join_asof(
            observed,
            left_on="scheduled_departure",
            right_on="published_at",
            by="origin",
            strategy="backward",
        )
    fresh = known["scheduled_departure"] - known["weather_observed_at"] <= FRESH_FOR
    kept = ["weather_observed_at", *_NAMES.values()]
    known = known.select(
        "row", *(nw.when(fresh).then(nw.col(name)).alias(name) for name in kept)
    ).sort("row")
    return flights.with_columns(known[name] for name in kept)
