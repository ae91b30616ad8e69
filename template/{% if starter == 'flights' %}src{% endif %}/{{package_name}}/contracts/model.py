"""The model contract: what a model of this project can be asked."""

from typing import Protocol

from .data import DelayPrediction, ScheduledFlight
from .engine import DataFrame

__version__ = "1.0.0"


class DelayModel(Protocol):
    """Predicts from what is known at scheduled departure whether a flight arrives late."""

    def predict(self, flights: DataFrame[ScheduledFlight], /) -> DataFrame[DelayPrediction]:
        """Predict one row for each flight, in the same order."""
        ...
