"""The model that goes into the registry: features and estimator in one."""

from dataclasses import dataclass

import narwhals as nw

from ..contracts import Airports, DelayModel, DelayPrediction, Features, Planes, ScheduledFlight
from ..contracts.engine import BACKEND, Check, Columns, DataFrame, validated
from ..features import build_features, feature_columns
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

    def predict_columns(self, flights: Columns, checked: Check) -> Columns:
        """The same without a table; the service proves that before it answers with it.

        An estimator without `late_probability` needs the table.
        """
        features = checked(Features, feature_columns(flights, self.planes, self.airports))
        return {"late_probability": self.estimator.late_probability(features)}
