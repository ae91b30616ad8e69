"""The model contract: the interface of every model of this project."""

from typing import Protocol

from .data import DelayPrediction, ScheduledFlight
from .engine import DataFrame

__version__ = "1.0.0"


class DelayModel(Protocol):
    """Predicts at scheduled departure whether a flight arrives late."""

    def predict(self, flights: DataFrame[ScheduledFlight], /) -> DataFrame[DelayPrediction]:
        """Return one prediction for each flight, in the same order."""
        ...
