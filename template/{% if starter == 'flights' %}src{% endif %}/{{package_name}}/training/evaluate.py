"""Evaluate: model and baselines on later flights, as metrics and plots."""

import json

import joblib
import narwhals as nw
import numpy as np
from baton_handoff.core.command import in_one_sentence
from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.evaluation.metrics import importance, scores
from baton_handoff.evaluation.plots import draw

from ..contracts import Flights, ScheduledFlight
from ..contracts.engine import DataFrame, validated
from .features import SCHEDULED
from .files import BASELINE, EVALUATION, MODEL, PLOTS, RAW, REPORTS, params, read
from .split import features_of, past, split


def main() -> None:
    """Write the evaluation, reports/metrics.json and the plots beside it."""
    learnt, future = split()
    features, model = features_of(future), joblib.load(MODEL)
    evaluation = Evaluation(
        rows=_model_input(~past()),
        labels=future["late"].to_numpy().astype(int),
        # The probability of a late arrival, one for each flight.
        predicted={
            "model": model.estimator.predict_proba(features)[:, 1],
            "logistic_regression": joblib.load(BASELINE).predict_proba(features)[:, 1],
            "constant_rate": np.full(len(future), learnt["late"].mean()),
        },
        kind="probability",
        prediction_column="late_probability",
        groups=("carrier", "origin"),
        time="scheduled_departure",
        trained_until=str(learnt["scheduled_departure"].max()),
        threshold=params("evaluate")["late_from_probability"],
        training_sample=_model_input(past()),
    )
    evaluation.write(EVALUATION)

    metrics = {
        name: scores("probability", evaluation.labels, predicted)
        for name, predicted in evaluation.predicted.items()
    }
    rows = {"train": len(learnt), "test": len(future)}
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "metrics.json").write_text(
        json.dumps({**metrics, "rows": rows}, indent=2) + "\n", encoding="utf-8"
    )
    for name, figures in metrics.items():
        print(f"{name:20} AUC {figures['auc']:.3f}   log loss {figures['log_loss']:.3f}")
    draw(evaluation, importance(model.predict, evaluation), PLOTS)


def _model_input(which: nw.Expr) -> DataFrame[ScheduledFlight]:
    """Labelled flights as the service would receive them, in the same order."""
    scheduled = nw.from_native(read(SCHEDULED, ScheduledFlight))
    arrived = ~nw.from_native(read(RAW / "flights.parquet", Flights))["arr_delay"].is_null()
    asked = scheduled.filter(arrived.to_list()).filter(which)
    return validated(nw.maybe_reset_index(asked).to_native(), ScheduledFlight)


if __name__ == "__main__":
    raise SystemExit(in_one_sentence(main))
