"""The feature step in the style of a notebook: row by row, with `apply`.

A fast version: lookups use an index, and bisection finds the earlier weather of an airport. A first
draft, which filters the weather for every flight, is slower.
"""

from datetime import timedelta
from typing import Any

import pandas as pd

PUBLISHED_AFTER = timedelta(hours=1)
FRESH_FOR = timedelta(hours=6)
WEATHER = {
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


def features(
    flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame, places: pd.DataFrame
) -> pd.DataFrame:
    """Return the features of each flight, in the same order."""
    observed = {
        origin: here.sort_values("time_hour").set_index("time_hour")
        for origin, here in weather.groupby("origin")
    }
    plane_of, place_of = planes.set_index("tailnum"), places.set_index("faa")

    def one(flight: "pd.Series[Any]") -> "pd.Series[Any]":
        departure = flight["scheduled_departure"]
        here = observed[flight["origin"]]
        last = here.index.searchsorted(departure - PUBLISHED_AFTER, side="right") - 1
        fresh = last >= 0 and departure - here.index[last] <= FRESH_FOR
        known = here.iloc[last] if fresh else {}
        tail, town = flight["tailnum"], flight["dest"]
        plane = plane_of.loc[tail] if tail in plane_of.index else {}
        place = place_of.loc[town] if town in place_of.index else {}
        local = departure.tz_convert("America/New_York")
        return pd.Series(
            {
                "carrier": flight["carrier"],
                "origin": flight["origin"],
                "destination": town,
                "distance_mi": flight["distance"],
                "hour": local.hour + local.minute / 60,
                "weekday": local.isoweekday(),
                **{name: known.get(source) for source, name in WEATHER.items()},
                "destination_latitude": place.get("lat"),
                "destination_longitude": place.get("lon"),
                "destination_altitude_ft": place.get("alt"),
                "aircraft_age_years": local.year - plane["year"] if len(plane) else None,
                "aircraft_seats": plane.get("seats"),
            }
        )

    return flights.apply(one, axis=1)


def assert_same(table: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Assert the same values; types, order and index may differ, as `apply` changes them."""
    types = expected.dtypes.to_dict()
    pd.testing.assert_frame_equal(
        table[list(types)].astype(types).reset_index(drop=True), expected.reset_index(drop=True)
    )
