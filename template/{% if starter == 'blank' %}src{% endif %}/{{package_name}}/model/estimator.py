"""The estimators: a linear model to start with, and the constant baseline that it has to beat."""

from baton_handoff.contracts import canonical_form
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ..contracts import Features
from ..contracts.data import CLASSES

_TYPES = {name: column["type"] for name, column in canonical_form(Features)["columns"].items()}
CATEGORIES = [name for name, kind in _TYPES.items() if kind in ("string", "boolean")]
NUMBERS = [name for name, kind in _TYPES.items() if kind in ("integer", "number")]


def linear(penalty: float) -> Pipeline:
    """A linear model of numbers and the most frequent categories; a missing number gets the mean.

    It doesn't use timestamps: derive features from them.
    """
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=20), CATEGORIES),
        # A column can be empty in the rows to train on.
        (make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()), NUMBERS),
    )
    if CLASSES:
        return make_pipeline(columns, LogisticRegression(C=1 / penalty, max_iter=1000))
    return make_pipeline(columns, Ridge(alpha=penalty))


def constant() -> Pipeline:
    """The baseline: the same answer for every row, the most frequent class or the mean."""
    return make_pipeline(DummyClassifier(strategy="prior") if CLASSES else DummyRegressor())
