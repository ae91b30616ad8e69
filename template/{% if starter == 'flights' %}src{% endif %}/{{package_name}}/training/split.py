"""The split: trained on the past, tested on the future."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw

from ..contracts import Features, LabelledFlight
from ..contracts.engine import DataFrame
from ..features.calendar import TIME_ZONE
from .files import LABELLED, params, read


def split() -> tuple[nw.DataFrame[Any], nw.DataFrame[Any]]:
    """The labelled flights before and from the day that params.yaml names."""
    flights: DataFrame[LabelledFlight] = read(LABELLED, LabelledFlight)
    table = nw.from_native(flights)
    return table.filter(past()), table.filter(~past())


def past() -> nw.Expr:
    """True for each flight of the training period."""
    day = datetime.fromisoformat(params("split")["test_from"]).replace(tzinfo=ZoneInfo(TIME_ZONE))
    return nw.col("scheduled_departure") < nw.lit(day.astimezone(UTC))


def features_of(flights: nw.DataFrame[Any]) -> Any:
    """The features of labelled flights, in this project's engine."""
    return flights.select(*Features.to_schema().columns).to_native()
