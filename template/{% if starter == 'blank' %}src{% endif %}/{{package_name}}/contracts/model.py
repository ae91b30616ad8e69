"""The model contract: the interface of every model of this project."""

from typing import Protocol

from .data import ModelInput, Prediction
from .engine import DataFrame

__version__ = "1.0.0"


class PredictionModel(Protocol):
    """Predicts the target from the model's input."""

    def predict(self, rows: DataFrame[ModelInput], /) -> DataFrame[Prediction]:
        """Return one prediction for each row, in the same order."""
        ...
