"""Features: from the raw sources to the model's input, and from there to labelled features."""

from pathlib import Path

import narwhals as nw
from baton_handoff.core.command import in_one_sentence

from ..contracts import Airports, Flights, LabelledFlight, Planes, Weather
from ..contracts.engine import validated
from ..features import (
    airports_by_code,
    build_features,
    planes_by_tail_number,
    scheduled_flights,
)
from .files import LABELLED, RAW, params, read, write

SCHEDULED = Path("data/scheduled.parquet")


def main() -> None:
    """Write the model's input for every flight, and labelled features for those that arrived."""
    flights = read(RAW / "flights.parquet", Flights)
    scheduled = scheduled_flights(flights, read(RAW / "weather.parquet", Weather))
    write(scheduled, SCHEDULED)

    features = build_features(
        scheduled,
        planes_by_tail_number(read(RAW / "planes.parquet", Planes)),
        airports_by_code(read(RAW / "airports.parquet", Airports)),
    )
    delay = nw.from_native(flights)["arr_delay"]
    labelled = nw.from_native(features).with_columns(
        nw.from_native(scheduled)["flight_number"],
        nw.from_native(scheduled)["scheduled_departure"],
        late=delay > params("label")["late_after_minutes"],
    )
    # A cancelled or diverted flight has no arrival to be late.
    arrived = labelled.filter((~delay.is_null()).to_list())
    write(validated(arrived.to_native(), LabelledFlight), LABELLED)
    print(f"{len(scheduled):,} flights scheduled, {len(arrived):,} of them arrived")


if __name__ == "__main__":
    raise SystemExit(in_one_sentence(main))
