"""The model contract: what a model of this project can be asked."""

from typing import Protocol

from .data import ModelInput, Prediction
from .engine import DataFrame

__version__ = "1.0.0"


class PredictionModel(Protocol):
    """Predicts the target from what the model is given."""

    def predict(self, rows: DataFrame[ModelInput], /) -> DataFrame[Prediction]:
        """Predict one row for each row, in the same order."""
        ...
