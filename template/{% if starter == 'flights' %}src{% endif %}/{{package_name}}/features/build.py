"""The features of a scheduled flight: the one place that defines them."""

from typing import Any

import narwhals as nw
import numpy as np

from ..contracts import Airports, Features, Planes, ScheduledFlight
from ..contracts.engine import Columns, DataFrame, validated
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
    computed = _computed(
        np.asarray(flights["scheduled_departure"].to_native(), "datetime64[us]"),
        flights["tail_number"].to_arrow(),
        flights["destination"].to_arrow(),
        planes,
        places,
    )
    stated = [name for name in Features.to_schema().columns if name not in computed]
    known = {name: _values(flights.to_native()[name]) for name in stated}
    table = nw.from_dict({**known, **computed}, backend=flights.implementation)
    # pandas treats NaN as missing already.
    pandas = flights.implementation.is_pandas()
    gaps = [name for name, values in computed.items() if not pandas and np.isnan(values).any()]
    return table.with_columns(nw.col(gaps).fill_nan(None)) if gaps else table


def feature_columns(
    flights: Columns, planes: Register[Planes], places: Register[Airports]
) -> Columns:
    """The same without a table, unchecked: the service answers short requests with it."""
    computed = _computed(
        flights["scheduled_departure"],
        flights["tail_number"],
        flights["destination"],
        planes,
        places,
    )
    known = {name: flights[name] for name in Features.to_schema().columns if name in flights}
    return known | computed


def _computed(
    departures: np.ndarray,
    tail_numbers: Any,
    destinations: Any,
    planes: Register[Planes],
    places: Register[Airports],
) -> dict[str, np.ndarray]:
    """The features that the request does not contain."""
    local = calendar.local_departures(departures)
    return {
        **calendar.features(local),
        **static.of_plane(tail_numbers, local, planes),
        **static.of_destination(destinations, places),
    }


def _values(column: Any) -> Any:
    """A column of any engine, without the index by which pandas would align it."""
    return getattr(column, "array", column)
