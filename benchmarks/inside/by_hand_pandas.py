"""The feature step in good hand-written pandas code, for these tables only."""

from datetime import timedelta

import pandas as pd

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


def schedule(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Return each flight with the last fresh weather at its origin, in the same order."""
    known = flights[list(SCHEDULE)].rename(columns=SCHEDULE)
    departures = known[["origin", "scheduled_departure"]].sort_values("scheduled_departure")
    observed = weather.rename(columns=WEATHER)
    observed["published_at"] = observed["weather_observed_at"] + PUBLISHED_AFTER
    joined = pd.merge_asof(
        departures,
        observed.sort_values("published_at"),
        left_on="scheduled_departure",
        right_on="published_at",
        by="origin",
        tolerance=FRESH_FOR - PUBLISHED_AFTER,
    )
    # merge_asof drops the index, which join needs.
    return known.join(joined.set_index(departures.index)[list(WEATHER.values())])


def features(flights: pd.DataFrame, planes: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Return the features of each flight, in the same order."""
    local = flights["scheduled_departure"].dt.tz_convert("America/New_York").dt
    plane = planes.set_index("tailnum")[["year", "seats"]].reindex(flights["tail_number"])
    place = places.set_index("faa")[["lat", "lon", "alt"]].reindex(flights["destination"])
    return pd.DataFrame(
        {
            **{name: flights[name] for name in ("carrier", "origin", "destination", "distance_mi")},
            "hour": local.hour + local.minute / 60,
            "weekday": local.day_of_week.astype("int64") + 1,
            **{name: flights[name] for name in list(WEATHER.values())[1:]},
            "destination_latitude": place["lat"].to_numpy(),
            "destination_longitude": place["lon"].to_numpy(),
            "destination_altitude_ft": place["alt"].to_numpy(),
            "aircraft_age_years": local.year - plane["year"].to_numpy(),
            "aircraft_seats": plane["seats"].to_numpy("float64"),
        }
    )
