"""Evaluate: model and baselines on the future, in numbers and plots."""

import json
from typing import Any

import joblib
import matplotlib as mpl
import matplotlib.pyplot as plt
import narwhals as nw
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import RocCurveDisplay, brier_score_loss, log_loss, roc_auc_score

from ..features.calendar import TIME_ZONE
from .files import BASELINE, MODEL, REPORTS
from .split import features_of, split


def main() -> None:
    """Write reports/metrics.json and the plots beside it."""
    past, future = split()
    features, late = features_of(future), future["late"].to_numpy()
    # Each column: the probability of a late arrival that one of the three gives a flight.
    predicted = {
        "model": joblib.load(MODEL).estimator.predict_proba(features)[:, 1],
        "logistic_regression": joblib.load(BASELINE).predict_proba(features)[:, 1],
        "constant_rate": np.full(len(future), past["late"].mean()),
    }
    metrics = {
        name: {
            "auc": float(roc_auc_score(late, probability)),
            "log_loss": float(log_loss(late, probability)),
            "brier": float(brier_score_loss(late, probability)),
        }
        for name, probability in predicted.items()
    }
    rows = {"train": len(past), "test": len(future)}
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "metrics.json").write_text(
        json.dumps({**metrics, "rows": rows}, indent=2) + "\n", encoding="utf-8"
    )
    for name, scores in metrics.items():
        print(f"{name:20} AUC {scores['auc']:.3f}   log loss {scores['log_loss']:.3f}")
    _plot(future, late, predicted)


def _plot(future: nw.DataFrame[Any], late: np.ndarray, predicted: dict[str, np.ndarray]) -> None:
    mpl.use("agg")
    mpl.rcParams.update({"figure.figsize": (6, 4.5), "figure.dpi": 120, "axes.grid": True})

    _, axes = plt.subplots()
    for name in ("model", "logistic_regression"):
        RocCurveDisplay.from_predictions(late, predicted[name], name=name, ax=axes)
    _save("roc", "Late flights found against false alarms")

    _, axes = plt.subplots()
    for name in ("model", "logistic_regression"):
        CalibrationDisplay.from_predictions(
            late, predicted[name], n_bins=15, strategy="quantile", name=name, ax=axes
        )
    _save("calibration", "What was predicted and what came true")

    local = nw.col("scheduled_departure").dt.convert_time_zone(TIME_ZONE)
    months = future.select(month=local.dt.month())["month"].to_numpy()
    shown = sorted(set(months.tolist()))
    _, axes = plt.subplots()
    for name, values in (("arrived late", late), ("predicted", predicted["model"])):
        rate = [float(np.mean(values[months == month])) for month in shown]
        axes.plot([str(month) for month in shown], rate, marker="o", label=name)
    axes.set(xlabel="month", ylabel="share of flights", ylim=(0, None))
    axes.legend()
    _save("by_month", "Late flights, month by month")


def _save(name: str, title: str) -> None:
    plt.title(title)
    plt.tight_layout()
    plt.savefig(REPORTS / f"{name}.png", metadata={"Software": None})
    plt.close()


if __name__ == "__main__":
    main()
