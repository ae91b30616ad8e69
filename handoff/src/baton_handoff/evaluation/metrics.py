"""Metrics of predictions: losses, scores, subgroups, comparison of two models, importance."""

from collections.abc import Callable
from typing import Any

import narwhals as nw
import numpy as np

from baton_handoff.contracts import Frame
from baton_handoff.evaluation.held_out import Evaluation, PredictionKind

MIN_GROUP_ROWS = 200
"""The fewest rows of a subgroup or a period for which a metric is computed."""


def losses(kind: PredictionKind, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The loss of each prediction: log loss of a probability, 0 or 1 of a class, absolute error."""
    if kind == "probability":
        # A certain prediction that is wrong would have an infinite loss.
        likelihood = np.clip(np.where(labels.astype(bool), predicted, 1 - predicted), 1e-15, 1)
        loss: np.ndarray = -np.log(likelihood)
    elif kind == "class":
        loss = (labels != predicted).astype(float)
    else:
        loss = np.abs(labels - predicted)
    return loss


def score_name(kind: PredictionKind) -> str:
    """The metric, the higher the better, that floors are stated for."""
    return {"probability": "auc", "class": "accuracy", "value": "r2"}[kind]


def scores(kind: PredictionKind, labels: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """The usual metrics of predictions by name; NaN where a metric is undefined."""
    # Imported here: only the extra `evaluation` installs it.
    from sklearn import metrics  # noqa: PLC0415

    by_kind: dict[PredictionKind, dict[str, Callable[[Any, Any], Any]]] = {
        "probability": {
            "auc": metrics.roc_auc_score,
            "log_loss": lambda t, p: metrics.log_loss(t, p, labels=[0, 1]),
            "brier": lambda t, p: metrics.brier_score_loss(t, p, labels=[0, 1]),
        },
        "class": {
            "accuracy": metrics.accuracy_score,
            "f1": lambda t, p: metrics.f1_score(t, p, average="macro", zero_division=0),
        },
        "value": {
            "mae": metrics.mean_absolute_error,
            "rmse": metrics.root_mean_squared_error,
            "r2": metrics.r2_score,
        },
    }
    if kind == "probability":
        labels = labels.astype(int)
        if len(set(labels.tolist())) < 2:
            return dict.fromkeys(by_kind[kind], float("nan"))
    return {name: float(metric(labels, predicted)) for name, metric in by_kind[kind].items()}


def scores_by_group(evaluation: Evaluation, predicted: np.ndarray, column: str) -> dict[str, float]:
    """The score of each subgroup of a column that has at least `MIN_GROUP_ROWS` rows."""
    from fairlearn.metrics import MetricFrame  # noqa: PLC0415 (as above)

    name = score_name(evaluation.kind)
    groups = evaluation.group(column).astype(str)
    values, counts = np.unique(groups, return_counts=True)
    large = np.isin(groups, values[counts >= MIN_GROUP_ROWS])
    if not large.any():
        return {}
    frame = MetricFrame(
        metrics=lambda labels, p: scores(evaluation.kind, np.asarray(labels), p)[name],
        y_true=evaluation.labels[large],
        y_pred=predicted[large],
        sensitive_features=groups[large],
    )
    return {str(group): float(score) for group, score in frame.by_group.items()}


def loss_difference(
    evaluation: Evaluation, predicted: np.ndarray, other: np.ndarray
) -> tuple[float, float]:
    """How much larger the loss of predictions is than that of others on the same rows.

    Returns:
        Both ends of the 95 % interval of the paired bootstrap, as shares of the other loss;
        negative where the predictions are better.
    """
    from scipy.stats import bootstrap  # noqa: PLC0415 (as above)

    other_losses = losses(evaluation.kind, evaluation.labels, other)
    differences = losses(evaluation.kind, evaluation.labels, predicted) - other_losses
    if not differences.any():
        return 0.0, 0.0
    # In batches: all resamples of a large evaluation together need gigabytes.
    interval = bootstrap(
        (differences,), np.mean, n_resamples=1000, batch=20, method="percentile", rng=2013
    ).confidence_interval
    scale = float(other_losses.mean()) or 1.0
    return float(interval.low) / scale, float(interval.high) / scale


def importance(
    predict: Callable[[Frame], Frame], evaluation: Evaluation, max_rows: int = 2000
) -> dict[str, float]:
    """The permutation importance of each input column, largest first.

    Not scikit-learn's: it takes neither Polars tables nor a bare function.

    Returns:
        By column the increase of the mean loss after the column's values were shuffled.
    """
    random = np.random.default_rng(2013)
    chosen = random.permutation(len(evaluation.labels))[:max_rows].tolist()
    table = nw.maybe_reset_index(nw.from_native(evaluation.rows, eager_only=True)[chosen])
    labels = evaluation.labels[chosen]

    def mean_loss(rows: nw.DataFrame[Any]) -> float:
        answer = nw.from_native(predict(rows.to_native()), eager_only=True)
        predicted = answer[evaluation.prediction_column].to_numpy()
        return float(losses(evaluation.kind, labels, predicted).mean())

    unshuffled = mean_loss(table)
    found = {}
    for column in table.columns:
        order = random.permutation(len(chosen)).tolist()
        shuffled = nw.maybe_reset_index(table[order].select(column))[column]
        found[column] = mean_loss(table.with_columns(shuffled)) - unshuffled
    return dict(sorted(found.items(), key=lambda item: -item[1]))
