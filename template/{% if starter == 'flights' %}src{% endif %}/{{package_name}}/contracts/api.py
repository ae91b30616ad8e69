"""The API's models. Generated from the contracts by `uv run poe fix`: change those instead.

A row model enforces the rules about single values. The registered model validates the rules about
several columns or rows.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
)


def _text(value: Any) -> Any:
    """Refuse numbers, which pydantic would read as seconds since 1970."""
    numeral = isinstance(value, str) and value.lstrip("+-").replace(".", "", 1).isdigit()
    if numeral or isinstance(value, int | float):
        raise ValueError("must be a timestamp with its offset, as text")
    return value


def _utc(value: datetime) -> datetime:
    """Refuse a timestamp outside the years that Python knows, in UTC."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999, in UTC") from None


Timestamp = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_utc)]


def _whole(value: Any) -> Any:
    """Accept 40.0 as 40, as JSON does; refuse booleans, which Python counts as integers."""
    numeral = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeral:
        raise ValueError("must be an integer")
    return int(value) if isinstance(value, float) and value.is_integer() else value


class ScheduledFlightRow(BaseModel):
    """One row of ScheduledFlight."""

    model_config = ConfigDict(extra="forbid", regex_engine="python-re")
    carrier: Literal[
        "9E",
        "AA",
        "AS",
        "B6",
        "DL",
        "EV",
        "F9",
        "FL",
        "HA",
        "MQ",
        "OO",
        "UA",
        "US",
        "VX",
        "WN",
        "YV",
    ] = Field(description="the airline's IATA code")
    flight_number: Annotated[int, Field(ge=1, le=9999), BeforeValidator(_whole)]
    tail_number: Annotated[str, Strict(), Field(pattern="^[A-Z][A-Z0-9]{4,5}$(?!\\n)")] | None
    origin: Literal["EWR", "JFK", "LGA"] = Field(
        description="the FAA code of the airport it leaves"
    )
    destination: Annotated[str, Strict(), Field(pattern="^[A-Z0-9]{3}$(?!\\n)")] = Field(
        description="the FAA code"
    )
    distance_mi: Annotated[float, Strict(), Field(allow_inf_nan=False, gt=0, le=5000)]
    scheduled_departure: Timestamp
    weather_observed_at: Timestamp | None = Field(description="the hour of the observation")
    temperature_f: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=-20, le=115)] | None
    dew_point_f: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=-40, le=90)] | None
    humidity_pct: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=100)] | None
    wind_direction_deg: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=360)] | None
    wind_speed_mph: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=120.0)] | None
    wind_gust_mph: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=120.0)] | None
    precipitation_in: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=5)] | None
    pressure_hpa: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=950, le=1060)] | None
    visibility_mi: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=10)] | None


class DelayPredictionRow(BaseModel):
    """One row of DelayPrediction."""

    model_config = ConfigDict(extra="forbid")
    late_probability: Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=1)] = Field(
        description="that it arrives late"
    )


class PredictionRequest(BaseModel):
    """A request: the rows to predict."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[ScheduledFlightRow], Field(min_length=1)]


class PredictionResponse(BaseModel):
    """A response: one prediction for each row, in the same order, and the model version."""

    predictions: list[DelayPredictionRow]
    version: int
