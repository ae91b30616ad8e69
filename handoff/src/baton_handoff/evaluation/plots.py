"""The plots of an evaluation, as the reports and the model card show them."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import narwhals as nw
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, PredictionErrorDisplay, RocCurveDisplay

from baton_handoff.evaluation.evaluation import (
    ENOUGH,
    MODEL,
    Evaluation,
    by_group,
    score_name,
    scores,
)

TITLES = {
    "roc": "What is found against false alarms",
    "calibration": "What was predicted and what came true",
    "confusion": "Right and wrong",
    "predictions": "What was predicted and what came true",
    "by_month": "Month by month",
    "importance": "What the model looks at",
}
_MANY = 25


def draw(evaluation: Evaluation, looked_at: Mapping[str, float], folder: Path) -> list[Path]:
    """Write every plot that an evaluation has something for; their files.

    Args:
        evaluation: What to show.
        looked_at: The importance of each column.
        folder: Where to.
    """
    mpl.use("agg")
    folder.mkdir(parents=True, exist_ok=True)
    plots: dict[str, Callable[[Any], None]] = {
        "importance": lambda axes: _bars(axes, looked_at, "mean loss added by mixing the column")
    }
    if evaluation.kind == "probability":
        plots |= {
            "roc": lambda axes: _roc(axes, evaluation),
            "calibration": lambda axes: _calibration(axes, evaluation),
            "confusion": lambda axes: _confusion(axes, evaluation),
        }
    elif evaluation.kind == "class":
        plots["confusion"] = lambda axes: _confusion(axes, evaluation)
    else:
        plots["predictions"] = lambda axes: _values(axes, evaluation)
    if evaluation.time:
        plots["by_month"] = lambda axes: _by_month(axes, evaluation)
    for group in evaluation.groups:
        plots[f"by_{group}"] = partial(_by_group, evaluation=evaluation, group=group)
    files = []
    for name, plot in plots.items():
        with mpl.rc_context({"figure.figsize": (6, 4.5), "figure.dpi": 120}):
            figure, axes = plt.subplots()
            plot(axes)
            axes.set_title(TITLES.get(name, f"By {name.removeprefix('by_')}"))
            figure.tight_layout()
            files.append(folder / f"{name}.png")
            figure.savefig(files[-1], metadata={"Software": None})
            plt.close(figure)
    return files


def _roc(axes: Any, evaluation: Evaluation) -> None:
    for name, said in evaluation.predicted.items():
        if np.ptp(said):
            RocCurveDisplay.from_predictions(evaluation.truth, said, name=name, ax=axes)


def _calibration(axes: Any, evaluation: Evaluation) -> None:
    for name, said in evaluation.predicted.items():
        if np.ptp(said):
            CalibrationDisplay.from_predictions(
                evaluation.truth, said, n_bins=15, strategy="quantile", name=name, ax=axes
            )


def _confusion(axes: Any, evaluation: Evaluation) -> None:
    truth, said = evaluation.truth, evaluation.predicted[MODEL]
    if evaluation.kind == "probability":
        truth, said = truth.astype(bool), said >= evaluation.threshold
    ConfusionMatrixDisplay.from_predictions(
        truth, said, ax=axes, colorbar=False, xticks_rotation=45, values_format=",d"
    )
    if evaluation.kind == "probability":
        axes.set_xlabel(f"predicted, from {evaluation.threshold:g} on")


def _values(axes: Any, evaluation: Evaluation) -> None:
    PredictionErrorDisplay.from_predictions(
        evaluation.truth, evaluation.predicted[MODEL], kind="actual_vs_predicted", ax=axes
    )


def _by_month(axes: Any, evaluation: Evaluation) -> None:
    moments = nw.from_native(evaluation.rows, eager_only=True)[str(evaluation.time)]
    of_row = np.array(moments.dt.to_string("%Y-%m").to_list())
    # In UTC, a month's last evening may be of the next one: too few rows to say anything of it.
    months, sizes = np.unique(of_row, return_counts=True)
    months = months[sizes >= ENOUGH]
    name = score_name(evaluation.kind)
    for predictor, said in evaluation.predicted.items():
        figures = [
            scores(evaluation.kind, evaluation.truth[of_row == month], said[of_row == month])[name]
            for month in months
        ]
        axes.plot(months, figures, marker="o", label=predictor)
    axes.set(ylabel=name)
    axes.grid(visible=True)
    axes.legend()


def _by_group(axes: Any, evaluation: Evaluation, group: str) -> None:
    found = by_group(evaluation, evaluation.predicted[MODEL], group)
    _bars(axes, dict(sorted(found.items(), key=lambda item: -item[1])), score_name(evaluation.kind))


def _bars(axes: Any, values: Mapping[str, float], what: str) -> None:
    shown = dict(list(values.items())[:_MANY])
    axes.barh(list(shown), list(shown.values()))
    axes.invert_yaxis()
    axes.set_xlabel(what)
    axes.grid(visible=True, axis="x")
