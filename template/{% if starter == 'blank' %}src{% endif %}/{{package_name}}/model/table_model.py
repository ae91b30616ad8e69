"""The model that goes into the registry: features and estimator in one."""

from dataclasses import dataclass

import narwhals as nw
from sklearn.pipeline import Pipeline

from ..contracts import ModelInput, Prediction, PredictionModel
from ..contracts.data import CLASSES
from ..contracts.engine import BACKEND, DataFrame, validated
from ..features import build_features


@dataclass(frozen=True)
class TableModel(PredictionModel):
    """Predicts each row of a table by itself.

    Attributes:
        estimator: Fitted on tables that meet `Features`.
    """

    estimator: Pipeline

    def predict(self, rows: DataFrame[ModelInput], /) -> DataFrame[Prediction]:
        """Return one prediction for each row, in the same order."""
        features = build_features(rows)
        answer = {"prediction": self.estimator.predict(features).tolist()}
        if CLASSES:
            answer["probability"] = self.estimator.predict_proba(features).max(axis=1).tolist()
        return validated(nw.from_dict(answer, backend=BACKEND).to_native(), Prediction)
