"""The estimators: the model's, and the simpler baseline that it has to beat."""

from collections.abc import Sequence
from typing import Any, Protocol, Self

import narwhals as nw
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ..contracts import Features
from ..contracts.engine import DataFrame

CATEGORIES = ["carrier", "origin", "destination"]
NUMBERS = [name for name in Features.to_schema().columns if name not in CATEGORIES]


class Classifier(Protocol):
    """The interface of an estimator."""

    def predict_proba(self, features: Any, /) -> np.ndarray:
        """For each flight the probabilities of being on time and of being late, two columns."""
        ...


class BoostedTrees:
    """Gradient boosting; missing numbers and unknown destinations are categories of their own.

    It makes its own matrix: for one row sklearn's encoders take longer than all the trees.
    """

    def __init__(
        self, learning_rate: float, iterations: int, leaves: int, samples_per_leaf: int, seed: int
    ) -> None:
        self.codes: dict[str, dict[str, int]] = {}
        self.trees = HistGradientBoostingClassifier(
            learning_rate=learning_rate,
            max_iter=iterations,
            max_leaf_nodes=leaves,
            min_samples_leaf=samples_per_leaf,
            # sklearn publishes no types: an editor guesses them from the defaults.
            categorical_features=list(range(len(CATEGORIES))),  # pyright: ignore[reportArgumentType]
            early_stopping=False,  # pyright: ignore[reportArgumentType]
            random_state=seed,
        )

    def fit(self, features: DataFrame[Features], late: Sequence[bool] | np.ndarray) -> Self:
        """Train on features and labels (1: the flight was late)."""
        table = nw.from_native(features)
        for name in CATEGORIES:
            self.codes[name] = {
                value: code for code, value in enumerate(table[name].unique().sort())
            }
        self.trees.fit(self._encoded(features), late)
        return self

    def predict_proba(self, features: DataFrame[Features]) -> np.ndarray:
        """For each flight the probabilities of being on time and of being late, two columns."""
        probabilities: np.ndarray = self.trees.predict_proba(self._encoded(features))
        return probabilities

    def _encoded(self, features: DataFrame[Features]) -> np.ndarray:
        coded = [[self.codes[c].get(v, -1) for v in features[c].to_list()] for c in CATEGORIES]
        return np.column_stack([*coded, *(features[name].to_numpy() for name in NUMBERS)])


def logistic_regression() -> Any:
    """The baseline: logistic regression on the same features, as an untyped sklearn pipeline."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=200))
