"""The estimators: what learns, and the simpler one that it has to beat."""

from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from ..contracts import Features

CATEGORIES = ["carrier", "origin", "destination"]
NUMBERS = [name for name in Features.to_schema().columns if name not in CATEGORIES]


def boosted_trees(
    learning_rate: float, iterations: int, leaves: int, samples_per_leaf: int, seed: int
) -> Pipeline:
    """Gradient boosting; missing numbers and destinations never seen are cases of their own."""
    columns = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), CATEGORIES),
        ("passthrough", NUMBERS),
    )
    trees = HistGradientBoostingClassifier(
        learning_rate=learning_rate,
        max_iter=iterations,
        max_leaf_nodes=leaves,
        min_samples_leaf=samples_per_leaf,
        # sklearn publishes no types: an editor guesses them from the defaults.
        categorical_features=list(range(len(CATEGORIES))),  # pyright: ignore[reportArgumentType]
        early_stopping=False,  # pyright: ignore[reportArgumentType]
        random_state=seed,
    )
    return make_pipeline(columns, trees)


def logistic_regression() -> Pipeline:
    """The baseline: a line through the same features."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=200))
