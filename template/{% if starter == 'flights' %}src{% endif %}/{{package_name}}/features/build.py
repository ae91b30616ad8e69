"""The features of a scheduled flight: one place that says which there are."""

from typing import Any

import narwhals as nw

from ..contracts import Airports, Features, Planes, ScheduledFlight
from ..contracts.engine import DataFrame, validated
from . import aircraft, airports, calendar


def build_features(
    flights: DataFrame[ScheduledFlight],
    planes: DataFrame[Planes],
    places: DataFrame[Airports],
) -> DataFrame[Features]:
    """Compute the features of each flight, in the same order.

    Raises:
        pandera.errors.SchemaError: The result breaks the contract `Features`.
    """
    table = features(nw.from_native(flights), nw.from_native(planes), nw.from_native(places))
    return validated(table.to_native(), Features)


def features(
    flights: nw.DataFrame[Any], planes: nw.DataFrame[Any], places: nw.DataFrame[Any]
) -> nw.DataFrame[Any]:
    """The same for any engine, unchecked."""
    looked_up = [aircraft.look_up(flights, planes), airports.look_up(flights, places)]
    table = flights.with_columns(
        *calendar.features(), *(found[name] for found in looked_up for name in found.columns)
    )
    return nw.maybe_reset_index(table.select(*Features.to_schema().columns))
