"""An evaluation: rows that a model has not learnt from, what came true, and what was predicted.

The pipeline leaves it behind, the registry keeps it with the version, and the gates of a promotion
try the version on it again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from baton_handoff.contracts import Engine, Frame
from baton_handoff.core.errors import HandoffError

Kind: TypeAlias = Literal["probability", "class", "value"]
"""What a model answers: how likely something is, which of several it is, or how much."""

MODEL = "model"
"""What the model's own predictions are called; every other name is a baseline's."""

ENOUGH = 200
"""Rows that a subgroup needs before a figure says anything of it."""

SAMPLE = 20_000
"""So many of the rows that a model has learnt from are kept: what later ones are held against."""

_ROWS, _OUTCOMES, _ABOUT = "rows.parquet", "outcomes.parquet", "evaluation.json"
_LEARNT = "learnt.parquet"
_TRUTH = "truth"


@dataclass(frozen=True)
class Evaluation:
    """What a model was tried on.

    Attributes:
        rows: Rows of the model's input.
        truth: For each row what came true: 0 or 1 for a probability, the class, or the value.
        predicted: By name, for each row what the model and its baselines said.
        kind: What is predicted.
        answer: The column of the output contract that holds it.
        groups: Columns of the input whose values are subgroups to look at one by one.
        time: The column of the input that says when a row was known, None where none does.
        learnt_until: The last such moment that the model has learnt from, None likewise.
        threshold: From which probability on something is said to be so.
        learnt: The rows that it has learnt from, or a sample, None where nobody has kept them.
    """

    rows: Frame
    truth: np.ndarray
    predicted: Mapping[str, np.ndarray]
    kind: Kind
    answer: str
    groups: Sequence[str] = ()
    time: str | None = None
    learnt_until: str | None = None
    threshold: float = 0.5
    learnt: Frame | None = None

    def write(self, folder: Path) -> None:
        """Write it down, three files, and a sample of what was learnt from if that is there."""
        folder.mkdir(parents=True, exist_ok=True)
        nw.from_native(self.rows, eager_only=True).write_parquet(str(folder / _ROWS))
        outcomes = {_TRUTH: self.truth, **self.predicted}
        pq.write_table(pa.table({n: list(v) for n, v in outcomes.items()}), folder / _OUTCOMES)
        about = {
            "kind": self.kind,
            "answer": self.answer,
            "groups": list(self.groups),
            "time": self.time,
            "learnt_until": self.learnt_until,
            "threshold": self.threshold,
        }
        (folder / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        if self.learnt is not None:
            _sample(self.learnt).write_parquet(str(folder / _LEARNT))

    def group(self, column: str) -> np.ndarray:
        """The subgroup of each row."""
        return nw.from_native(self.rows, eager_only=True)[column].to_numpy()


def read_evaluation(folder: Path, engine: Engine) -> Evaluation:
    """Read what `Evaluation.write` has written.

    Raises:
        HandoffError: It is not there.
    """
    try:
        rows = nw.read_parquet(str(folder / _ROWS), backend=engine).to_native()
        outcomes = pq.read_table(folder / _OUTCOMES)
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except OSError as error:
        raise HandoffError(
            f"{folder} holds no evaluation: `uv run poe pipeline` makes one."
        ) from error
    columns = {name: np.asarray(outcomes[name].to_pylist()) for name in outcomes.column_names}
    kept = folder / _LEARNT
    learnt = nw.read_parquet(str(kept), backend=engine).to_native() if kept.exists() else None
    return Evaluation(rows, columns.pop(_TRUTH), columns, learnt=learnt, **about)


def _sample(rows: Frame) -> nw.DataFrame[Any]:
    """A sample by chance, always the same of the same rows, in their order."""
    table = nw.from_native(rows, eager_only=True)
    taken = np.random.default_rng(2013).permutation(len(table))[:SAMPLE]
    return nw.maybe_reset_index(table[sorted(taken.tolist())])


def losses(kind: Kind, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """How wrong each prediction is, 0 for right.

    The log loss of a probability, 1 for a wrong class, the distance from a value.
    """
    if kind == "probability":
        likely = np.clip(np.where(truth.astype(bool), predicted, 1 - predicted), 1e-15, 1)
        wrong: np.ndarray = -np.log(likely)
    elif kind == "class":
        wrong = (truth != predicted).astype(float)
    else:
        wrong = np.abs(truth - predicted)
    return wrong


def score_name(kind: Kind) -> str:
    """The one figure, the higher the better, that floors are stated for."""
    return {"probability": "auc", "class": "accuracy", "value": "r2"}[kind]


def scores(kind: Kind, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """How good predictions are, by the usual figures; NaN where a figure can't be had."""
    from sklearn import metrics  # noqa: PLC0415 (only whoever trains has it)

    figures: dict[Kind, dict[str, Callable[[Any, Any], Any]]] = {
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
        truth = truth.astype(int)
        if len(set(truth.tolist())) < 2:
            return dict.fromkeys(figures[kind], float("nan"))
    return {name: float(figure(truth, predicted)) for name, figure in figures[kind].items()}


def by_group(evaluation: Evaluation, predicted: np.ndarray, column: str) -> dict[str, float]:
    """The score of each subgroup that has enough rows."""
    from fairlearn.metrics import MetricFrame  # noqa: PLC0415 (likewise)

    name = score_name(evaluation.kind)
    groups = evaluation.group(column).astype(str)
    sizes = dict(zip(*np.unique(groups, return_counts=True), strict=True))
    enough = np.array([sizes[group] >= ENOUGH for group in groups], dtype=bool)
    if not enough.any():
        return {}
    frame = MetricFrame(
        metrics=lambda truth, said: scores(evaluation.kind, np.asarray(truth), said)[name],
        y_true=evaluation.truth[enough],
        y_pred=predicted[enough],
        sensitive_features=groups[enough],
    )
    return {str(group): float(score) for group, score in frame.by_group.items()}


def difference(
    evaluation: Evaluation, predicted: np.ndarray, other: np.ndarray
) -> tuple[float, float]:
    """By how much predictions are worse than others on the same rows, as a share of their loss.

    Returns:
        Both ends of the paired bootstrap's 95 % interval; negative where they are better.
    """
    from scipy.stats import bootstrap  # noqa: PLC0415 (likewise)

    of_other = losses(evaluation.kind, evaluation.truth, other)
    worse = losses(evaluation.kind, evaluation.truth, predicted) - of_other
    if not worse.any():
        return 0.0, 0.0
    interval = bootstrap(
        (worse,), np.mean, n_resamples=1000, batch=20, method="percentile", rng=2013
    ).confidence_interval
    scale = float(of_other.mean()) or 1.0
    return float(interval.low) / scale, float(interval.high) / scale


def importance(
    predict: Callable[[Frame], Frame], evaluation: Evaluation, most: int = 2000
) -> dict[str, float]:
    """How much worse the predictions get when a column's values change places, largest first.

    Args:
        predict: The model.
        evaluation: Rows and truth.
        most: So many rows are enough to tell.

    Returns:
        By column of the input the increase of the mean loss.
    """
    chance = np.random.default_rng(2013)
    taken = chance.permutation(len(evaluation.truth))[:most].tolist()
    table = nw.maybe_reset_index(nw.from_native(evaluation.rows, eager_only=True)[taken])
    truth = evaluation.truth[taken]

    def loss(rows: nw.DataFrame[Any]) -> float:
        said = nw.from_native(predict(rows.to_native()), eager_only=True)[evaluation.answer]
        return float(losses(evaluation.kind, truth, said.to_numpy()).mean())

    before = loss(table)
    found = {}
    for column in table.columns:
        places = chance.permutation(len(taken)).tolist()
        mixed = nw.maybe_reset_index(table[places].select(column))[column]
        found[column] = loss(table.with_columns(mixed)) - before
    return dict(sorted(found.items(), key=lambda item: -item[1]))
