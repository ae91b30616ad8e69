"""The API's models. Generated from the contracts by `uv run poe fix`: change those instead.

A row model enforces the rules about single values. The registered model validates the rules about
several columns or rows.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


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


class ModelInputRow(BaseModel):
    """One row of ModelInput."""

    model_config = ConfigDict(extra="forbid")


class PredictionRow(BaseModel):
    """One row of Prediction."""

    model_config = ConfigDict(extra="forbid")


class PredictionRequest(BaseModel):
    """A request: the rows to predict."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[ModelInputRow], Field(min_length=1)]


class PredictionResponse(BaseModel):
    """A response: one prediction for each row, in the same order, and the model version."""

    predictions: list[PredictionRow]
    version: int
