"""The model that goes into the registry: features and estimator in one."""

from dataclasses import dataclass

import narwhals as nw

from ..contracts import Airports, DelayModel, DelayPrediction, Planes, ScheduledFlight
from ..contracts.engine import BACKEND, DataFrame, validated
from ..features import build_features
from ..features.static import Register
from .estimator import Classifier


@dataclass(frozen=True)
class BoostedDelayModel(DelayModel):
    """Predicts a delay from the flight alone: planes and airports are part of the model.

    Attributes:
        estimator: Fitted on tables that meet `Features`.
        planes: The register of planes as it was when the model was trained.
        airports: The list of airports, likewise.
    """

    estimator: Classifier
    planes: Register[Planes]
    airports: Register[Airports]

    def predict(self, flights: DataFrame[ScheduledFlight], /) -> DataFrame[DelayPrediction]:
        """Return one prediction for each flight, in the same order."""
        features = build_features(flights, self.planes, self.airports)
        late = self.estimator.predict_proba(features)[:, 1]
        table = nw.from_dict({"late_probability": late}, backend=BACKEND)
        return validated(table.to_native(), DelayPrediction)
