"""Evaluate: model and baseline on the rows they have not seen, in numbers and a plot."""

import json
from typing import Any

import joblib
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PredictionErrorDisplay,
    accuracy_score,
    f1_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.pipeline import Pipeline

from ..contracts.data import CLASSES, TARGET
from .files import BASELINE, MODEL, REPORTS
from .split import features_of, split


def main() -> None:
    """Write reports/metrics.json and the plot beside it."""
    train, test = split()
    features, target = features_of(test), test[TARGET].to_list()
    estimators = {"model": joblib.load(MODEL).estimator, "constant": joblib.load(BASELINE)}
    metrics = {name: _scores(fitted, features, target) for name, fitted in estimators.items()}
    rows = {"train": len(train), "test": len(test)}
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "metrics.json").write_text(
        json.dumps({**metrics, "rows": rows}, indent=2) + "\n", encoding="utf-8"
    )
    for name, scores in metrics.items():
        print(f"{name:10}" + "   ".join(f"{metric} {v:.3f}" for metric, v in scores.items()))
    _plot(target, estimators["model"].predict(features))


def _scores(fitted: Pipeline, features: Any, target: list[Any]) -> dict[str, float]:
    predicted = fitted.predict(features)
    if not CLASSES:
        return {
            "mae": float(mean_absolute_error(target, predicted)),
            "rmse": float(root_mean_squared_error(target, predicted)),
            "r2": float(r2_score(target, predicted)),
        }
    # A class that only the tested rows have was never learnt: it has no probability.
    probability = np.zeros((len(target), len(CLASSES)))
    learnt = [CLASSES.index(value) for value in fitted.classes_.tolist()]
    probability[:, learnt] = fitted.predict_proba(features)
    return {
        "accuracy": float(accuracy_score(target, predicted)),
        # sklearn publishes no types: an editor guesses them from the defaults.
        "f1": float(f1_score(target, predicted, average="macro", zero_division=0)),  # pyright: ignore[reportArgumentType]
        "log_loss": float(log_loss(target, probability, labels=CLASSES)),
    }


def _plot(target: list[Any], predicted: np.ndarray) -> None:
    mpl.use("agg")
    mpl.rcParams.update({"figure.figsize": (6, 4.5), "figure.dpi": 120})
    if CLASSES:
        ConfusionMatrixDisplay.from_predictions(target, predicted)
        plt.xticks(rotation=45)
    else:
        PredictionErrorDisplay.from_predictions(target, predicted, kind="actual_vs_predicted")
    plt.title("What was predicted and what came true")
    plt.tight_layout()
    plt.savefig(REPORTS / "predictions.png", metadata={"Software": None})
    plt.close()


if __name__ == "__main__":
    main()
