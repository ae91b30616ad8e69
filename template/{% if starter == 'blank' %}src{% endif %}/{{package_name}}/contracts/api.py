"""The API's models. Generated from the contracts by `uv run poe fix`: change those instead.

A row holds what can be said of one row; rules about several columns or rows are checked by the
model itself.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


def _text(value: Any) -> Any:
    """Refuse numbers where a timestamp belongs: pydantic would read them as seconds."""
    numeral = isinstance(value, str) and value.lstrip("+-").replace(".", "", 1).isdigit()
    if numeral or isinstance(value, int | float):
        raise ValueError("must be a timestamp with its offset, as text")
    return value


def _utc(value: datetime) -> datetime:
    """Refuse a moment that the calendar has no place for in UTC."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999, in UTC") from None


Timestamp = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_utc)]


class ModelInputRow(BaseModel):
    """One row of ModelInput."""

    model_config = ConfigDict(extra="forbid")


class PredictionRow(BaseModel):
    """One row of Prediction."""

    model_config = ConfigDict(extra="forbid")


class PredictionRequest(BaseModel):
    """A request: the rows to predict for."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[ModelInputRow], Field(min_length=1)]


class PredictionResponse(BaseModel):
    """An answer: a prediction for each row, in the same order, and the version that gave it."""

    predictions: list[PredictionRow]
    version: int
