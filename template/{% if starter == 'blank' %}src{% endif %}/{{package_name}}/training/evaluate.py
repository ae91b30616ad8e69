"""Evaluate: model and baseline on held-out rows, as metrics and plots."""

import json
from typing import Any

import joblib
import narwhals as nw
import numpy as np
from baton_handoff.core.command import in_one_sentence
from baton_handoff.evaluation.held_out import Evaluation, PredictionKind
from baton_handoff.evaluation.metrics import importance, scores
from baton_handoff.evaluation.plots import draw

from ..contracts import ModelInput
from ..contracts.data import CLASSES, TARGET
from .files import BASELINE, EVALUATION, MODEL, PLOTS, REPORTS, params
from .split import features_of, split


def main() -> None:
    """Write the evaluation, reports/metrics.json and the plots beside it."""
    train, test = split()
    features, model = features_of(test), joblib.load(MODEL)
    time = params("split")["ordered_by"]
    kind: PredictionKind = "class" if CLASSES else "value"
    evaluation = Evaluation(
        rows=_model_input(test),
        labels=np.asarray(test[TARGET].to_list()),
        predicted={
            "model": model.estimator.predict(features),
            "constant": joblib.load(BASELINE).predict(features),
        },
        kind=kind,
        prediction_column="prediction",
        groups=(),  # columns whose values are subgroups to evaluate separately
        time=time,
        trained_until=str(train[time].max()) if time else None,
        training_sample=_model_input(train),
    )
    evaluation.write(EVALUATION)

    metrics = {
        name: scores(kind, evaluation.labels, predicted)
        for name, predicted in evaluation.predicted.items()
    }
    rows = {"train": len(train), "test": len(test)}
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "metrics.json").write_text(
        json.dumps({**metrics, "rows": rows}, indent=2) + "\n", encoding="utf-8"
    )
    for name, figures in metrics.items():
        print(f"{name:10}" + "   ".join(f"{figure} {v:.3f}" for figure, v in figures.items()))
    draw(evaluation, importance(model.predict, evaluation), PLOTS)


def _model_input(rows: nw.DataFrame[Any]) -> Any:
    """Labelled rows as the service would receive them."""
    return nw.maybe_reset_index(rows.select(*ModelInput.to_schema().columns)).to_native()


if __name__ == "__main__":
    raise SystemExit(in_one_sentence(main))
