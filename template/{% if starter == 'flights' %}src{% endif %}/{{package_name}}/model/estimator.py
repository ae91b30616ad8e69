"""The estimators: the model's, and the simpler baseline that it has to beat."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol, Self

import narwhals as nw
import numpy as np
import treelite
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ..contracts import Features
from ..contracts.engine import Columns, DataFrame

CATEGORIES = ["carrier", "origin", "destination"]
NUMBERS = [name for name in Features.to_schema().columns if name not in CATEGORIES]


class Classifier(Protocol):
    """The interface of an estimator."""

    def predict_proba(self, features: Any, /) -> np.ndarray:
        """For each flight the probabilities of being on time and of being late, two columns."""
        ...

    def late_probability(self, features: Columns, /) -> np.ndarray:
        """For each of a few flights the probability of being late; the service asks for it first.

        Optional: where an estimator lacks it, the service asks `predict_proba`.
        """
        ...


class BoostedTrees:
    """Gradient boosting; missing numbers and unknown destinations are categories of their own.

    It makes its own matrix, and treelite walks the trees for a few rows: there, what sklearn
    prepares takes longer than all the trees.
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

    def late_probability(self, features: Columns) -> np.ndarray:
        """For each of a few flights the probability of being late."""
        probabilities: np.ndarray = treelite.gtil.predict(
            self._walker, self._encoded(features), nthread=1
        )
        return probabilities.ravel()

    @cached_property
    def _walker(self) -> treelite.Model:
        return treelite.sklearn.import_model(self.trees)

    def __getstate__(self) -> dict[str, Any]:
        """All but what is made from the trees, which can't be saved."""
        return {name: value for name, value in vars(self).items() if name != "_walker"}

    def _encoded(self, features: Any) -> np.ndarray:
        columns = {name: np.asarray(features[name]) for name in (*CATEGORIES, *NUMBERS)}
        for name in CATEGORIES:
            codes, texts = self.codes[name], columns[name].tolist()
            columns[name] = np.array([codes.get(text, np.nan) for text in texts])
        return np.column_stack(list(columns.values()))


def logistic_regression() -> Any:
    """The baseline: logistic regression on the same features, as an untyped sklearn pipeline."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=200))
