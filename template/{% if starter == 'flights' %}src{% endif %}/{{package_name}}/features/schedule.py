"""From the raw sources to the model's input: the data known at each flight's departure."""

from typing import Any

import narwhals as nw

from ..contracts import Flights, ScheduledFlight, Weather
from ..contracts.engine import DataFrame, validated
from . import weather


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
    table = weather.join_last_known(known, observations)
    return nw.maybe_reset_index(table.select(*ScheduledFlight.to_schema().columns))
