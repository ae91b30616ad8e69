"""The tables around the model: input, features and output."""

from datetime import timedelta

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
from .sources import AIRPORT, CARRIERS, MAX_WIND_MPH, ORIGINS, TAIL_NUMBER

PUBLISHED_AFTER = timedelta(hours=1)
"""An hourly observation is published after its hour; using it earlier would leak the future."""

FRESH_FOR = timedelta(hours=6)
"""An observation older than this is not used."""


class ScheduledFlight(DataFrameModel):
    """The data known of a flight at its scheduled departure: the model's input.

    The weather is the last observation that was published before that moment; the caller
    supplies it, and leaves it null where there is none.
    """

    carrier: str = Field(isin=CARRIERS, description="the airline's IATA code")
    flight_number: int = Field(ge=1, le=9999)
    tail_number: str = Field(nullable=True, str_matches=TAIL_NUMBER)
    origin: str = Field(isin=ORIGINS, description="the FAA code of the airport it leaves")
    destination: str = Field(str_matches=AIRPORT, description="the FAA code")
    distance_mi: float = Field(gt=0, le=5000)
    scheduled_departure: Utc
    weather_observed_at: Utc = Field(nullable=True, description="the hour of the observation")
    temperature_f: float = Field(nullable=True, ge=-20, le=115)
    dew_point_f: float = Field(nullable=True, ge=-40, le=90)
    humidity_pct: float = Field(nullable=True, ge=0, le=100)
    wind_direction_deg: float = Field(nullable=True, ge=0, le=360)
    wind_speed_mph: float = Field(nullable=True, ge=0, le=MAX_WIND_MPH)
    wind_gust_mph: float = Field(nullable=True, ge=0, le=MAX_WIND_MPH)
    precipitation_in: float = Field(nullable=True, ge=0, le=5)
    pressure_hpa: float = Field(nullable=True, ge=950, le=1060)
    visibility_mi: float = Field(nullable=True, ge=0, le=10)

    @dataframe_check(error="the weather was published before the scheduled departure")
    def weather_is_of_the_past(cls, flights: Checked) -> Verdict:
        flight = columns(flights)
        observed = flight["weather_observed_at"]
        published = observed + PUBLISHED_AFTER
        return verdict(unknown(observed) | (published <= flight["scheduled_departure"]))

    @dataframe_check(error="the weather was observed within six hours of the departure")
    def weather_is_fresh(cls, flights: Checked) -> Verdict:
        flight = columns(flights)
        observed = flight["weather_observed_at"]
        stale = observed + FRESH_FOR
        return verdict(unknown(observed) | (stale >= flight["scheduled_departure"]))

    class Config:
        strict = True
        unique = ["carrier", "flight_number", "scheduled_departure"]
        metadata = {
            "version": "1.0.0",
            "position": "input",
            "producer": "ml-engineering",
            "consumer": "data-science",
        }


class Features(DataFrameModel):
    """The estimator's features of a flight, computed from a `ScheduledFlight` alone."""

    carrier: str = Field(isin=CARRIERS, description="IATA code of the airline")
    origin: str = Field(isin=ORIGINS, description="FAA code of the airport it leaves")
    destination: str = Field(str_matches=AIRPORT, description="FAA code of the airport it goes to")
    distance_mi: float = Field(gt=0, le=5000, description="miles from one to the other")
    hour: float = Field(ge=0, lt=24, description="of departure in New York, 7.5 is half past seven")
    weekday: int = Field(ge=1, le=7, description="of departure in New York, 1 is Monday")
    temperature_f: float = Field(nullable=True, ge=-20, le=115, description="°F at the origin")
    dew_point_f: float = Field(nullable=True, ge=-40, le=90, description="°F at the origin")
    humidity_pct: float = Field(nullable=True, ge=0, le=100, description="% at the origin")
    wind_direction_deg: float = Field(nullable=True, ge=0, le=360, description="degrees from north")
    wind_speed_mph: float = Field(nullable=True, ge=0, le=MAX_WIND_MPH, description="miles an hour")
    wind_gust_mph: float = Field(nullable=True, ge=0, le=MAX_WIND_MPH, description="miles an hour")
    precipitation_in: float = Field(nullable=True, ge=0, le=5, description="inches in an hour")
    pressure_hpa: float = Field(nullable=True, ge=950, le=1060, description="hPa at sea level")
    visibility_mi: float = Field(nullable=True, ge=0, le=10, description="miles at the origin")
    destination_latitude: float = Field(nullable=True, ge=-90, le=90, description="degrees north")
    destination_longitude: float = Field(nullable=True, ge=-180, le=180, description="degrees east")
    destination_altitude_ft: float = Field(nullable=True, ge=-100, le=15000, description="feet")
    aircraft_age_years: float = Field(nullable=True, ge=-1, le=80, description="years since built")
    aircraft_seats: float = Field(nullable=True, ge=1, le=500, description="seats of its plane")

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "internal",
            "producer": "data-science",
            "consumer": "data-science",
        }


class LabelledFlight(Features):
    """The features of a flight that has arrived and its label, for training."""

    flight_number: int = Field(ge=1, le=9999)
    scheduled_departure: Utc
    late: bool = Field(description="it arrived later than params.yaml allows")

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "internal",
            "producer": "data-science",
            "consumer": "data-science",
        }


class DelayPrediction(DataFrameModel):
    """The model's output, one row for each scheduled flight, in the same order."""

    late_probability: float = Field(ge=0, le=1, description="that it arrives late")

    class Config:
        strict = True
        metadata = {
            "version": "1.0.0",
            "position": "output",
            "producer": "data-science",
            "consumer": "ml-engineering",
        }
