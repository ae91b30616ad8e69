"""The features of a scheduled flight: one place that says which there are."""

from typing import Any

import narwhals as nw
import numpy as np

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
    departures = calendar.local_departures(flights)
    computed = {
        **calendar.features(departures),
        **aircraft.features(flights, departures, planes),
        **airports.features(flights, places),
    }
    stated = [name for name in Features.to_schema().columns if name not in computed]
    known = nw.maybe_reset_index(flights.select(stated))
    table = nw.concat(
        [known, nw.from_dict(computed, backend=flights.implementation)], how="horizontal"
    )
    gaps = [name for name, values in computed.items() if np.isnan(values).any()]
    return table.with_columns(nw.col(gaps).fill_nan(None)) if gaps else table
