"""The features of a scheduled flight: the one place that defines them."""

from typing import Any

import narwhals as nw
import numpy as np

from ..contracts import Airports, Features, Planes, ScheduledFlight
from ..contracts.engine import DataFrame, validated
from . import calendar, static
from .static import Register


def build_features(
    flights: DataFrame[ScheduledFlight],
    planes: Register[Planes],
    places: Register[Airports],
) -> DataFrame[Features]:
    """Compute the features of each flight, in the same order.

    Raises:
        pandera.errors.SchemaError: The result breaks the contract `Features`.
    """
    table = features(nw.from_native(flights), planes, places)
    return validated(table.to_native(), Features)


def features(
    flights: nw.DataFrame[Any], planes: Register[Planes], places: Register[Airports]
) -> nw.DataFrame[Any]:
    """The same for any engine, unchecked."""
    departures = calendar.local_departures(flights)
    computed = {
        **calendar.features(departures),
        **static.of_plane(flights, departures, planes),
        **static.of_destination(flights, places),
    }
    stated = [name for name in Features.to_schema().columns if name not in computed]
    known = {name: _values(flights.to_native()[name]) for name in stated}
    table = nw.from_dict({**known, **computed}, backend=flights.implementation)
    # pandas treats NaN as missing already.
    pandas = flights.implementation.is_pandas()
    gaps = [name for name, values in computed.items() if not pandas and np.isnan(values).any()]
    return table.with_columns(nw.col(gaps).fill_nan(None)) if gaps else table


def _values(column: Any) -> Any:
    """A column of any engine, without the index by which pandas would align it."""
    return getattr(column, "array", column)
