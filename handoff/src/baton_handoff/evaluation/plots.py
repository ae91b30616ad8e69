"""The plots of an evaluation, for the project's reports and the model card."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, PredictionErrorDisplay, RocCurveDisplay

from baton_handoff.evaluation.figures import new_figure
from baton_handoff.evaluation.held_out import MODEL, Evaluation
from baton_handoff.evaluation.metrics import MIN_GROUP_ROWS, score_name, scores, scores_by_group

_TITLES = {
    "roc": "ROC curve",
    "calibration": "Calibration",
    "confusion": "Confusion matrix",
    "predictions": "Predictions and labels",
    "by_month": "Score by month",
    "importance": "Permutation importance",
}
_MAX_BARS = 25


def draw(evaluation: Evaluation, importances: Mapping[str, float], folder: Path) -> list[Path]:
    """Write all plots that apply to an evaluation, and return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    plots: dict[str, Callable[[Any], None]] = {
        "importance": partial(_bars, values=importances, label="increase of the mean loss")
    }
    if evaluation.kind == "probability":
        plots["roc"] = partial(_curves, evaluation=evaluation, display=RocCurveDisplay)
        options = {"n_bins": 15, "strategy": "quantile"}
        plots["calibration"] = partial(
            _curves, evaluation=evaluation, display=CalibrationDisplay, **options
        )
    if evaluation.kind == "value":
        plots["predictions"] = lambda axes: PredictionErrorDisplay.from_predictions(
            evaluation.labels, evaluation.predicted[MODEL], kind="actual_vs_predicted", ax=axes
        )
    else:
        plots["confusion"] = partial(_confusion, evaluation=evaluation)
    if evaluation.time:
        plots["by_month"] = partial(_by_month, evaluation=evaluation)
    score = score_name(evaluation.kind)
    for group in evaluation.groups:
        values = scores_by_group(evaluation, evaluation.predicted[MODEL], group)
        ordered = dict(sorted(values.items(), key=lambda item: -item[1]))
        plots[f"by_{group}"] = partial(_bars, values=ordered, label=score)
    for name, plot in plots.items():
        with new_figure(folder / f"{name}.png", (6, 4.5)) as (_, axes):
            plot(axes[0, 0])
            axes[0, 0].set_title(_TITLES.get(name, f"Score by {name.removeprefix('by_')}"))
    return [folder / f"{name}.png" for name in plots]


def _curves(axes: Any, evaluation: Evaluation, display: Any, **options: Any) -> None:
    for name, predicted in evaluation.predicted.items():
        if np.ptp(predicted):  # a constant has no curve
            display.from_predictions(evaluation.labels, predicted, name=name, ax=axes, **options)


def _confusion(axes: Any, evaluation: Evaluation) -> None:
    labels, predicted = evaluation.labels, evaluation.predicted[MODEL]
    if evaluation.kind == "probability":
        labels, predicted = labels.astype(bool), predicted >= evaluation.threshold
    ConfusionMatrixDisplay.from_predictions(
        labels, predicted, ax=axes, colorbar=False, xticks_rotation=45, values_format=",d"
    )
    if evaluation.kind == "probability":
        axes.set_xlabel(f"Predicted label (threshold {evaluation.threshold:g})")


def _by_month(axes: Any, evaluation: Evaluation) -> None:
    times = nw.from_native(evaluation.rows, eager_only=True)[str(evaluation.time)]
    row_months = np.array(times.dt.to_string("%Y-%m").to_list())
    # In UTC, the last evening of a local month can be in the next month: too few rows for a score.
    months, counts = np.unique(row_months, return_counts=True)
    months = months[counts >= MIN_GROUP_ROWS]
    name = score_name(evaluation.kind)
    for predictor, predicted in evaluation.predicted.items():
        values = [
            scores(evaluation.kind, evaluation.labels[chosen], predicted[chosen])[name]
            for chosen in (row_months == month for month in months)
        ]
        axes.plot(months, values, marker="o", label=predictor)
    axes.set(ylabel=name)
    axes.grid(visible=True)
    axes.legend()


def _bars(axes: Any, values: Mapping[str, float], label: str) -> None:
    largest = dict(list(values.items())[:_MAX_BARS])
    axes.barh(list(largest), list(largest.values()))
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.grid(visible=True, axis="x")
