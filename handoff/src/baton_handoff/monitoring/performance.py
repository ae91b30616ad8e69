"""Performance: how good predictions are for the rows whose labels are known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind

from baton_handoff.evaluation.held_out import MODEL, Evaluation, PredictionKind
from baton_handoff.evaluation.metrics import (
    MIN_GROUP_ROWS,
    loss_difference,
    losses,
    score_name,
    scores,
)
from baton_handoff.monitoring.periods import parts, period_length, period_names

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class PerformanceChange:
    """The performance on some rows, compared with the evaluation.

    Attributes:
        name: The period or the subgroup, empty for all rows.
        column: The column of the subgroup, empty for a period and for all rows.
        rows: The number of rows.
        score: The score, the higher the better.
        reference_score: The score in the evaluation.
        low: The lower end of the interval of the growth of the loss, as a share of the loss in the
            evaluation.
        high: Its upper end.
        mean_prediction: The mean prediction, NaN for classes.
        mean_label: The mean label, NaN for classes.
    """

    name: str
    column: str
    rows: int
    score: float
    reference_score: float
    low: float
    high: float
    mean_prediction: float
    mean_label: float


@dataclass(frozen=True)
class Challenger:
    """Another version on the same rows.

    Attributes:
        version: Its number.
        score: Its score.
        low: The lower end of the interval by which its loss is larger, as a share of the monitored
            version's loss; negative where it is better.
        high: The upper end.
    """

    version: int
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Performance:
    """The performance on all labelled rows.

    Attributes:
        score_name: The name of the score.
        overall: All labelled rows.
        periods: Each period, in order.
        groups: For each column of subgroups each subgroup that has enough rows.
        metrics: Each metric by name, now and in the evaluation.
        usual: How much larger the loss was in the worst day or week of the evaluation, as a share,
            if the rows cover no more than that; otherwise 0.
        challenger: Another version on the same rows, None if none was requested.
    """

    score_name: str
    overall: PerformanceChange
    periods: Sequence[PerformanceChange]
    groups: Mapping[str, Sequence[PerformanceChange]]
    metrics: Mapping[str, tuple[float, float]]
    usual: float = 0.0
    challenger: Challenger | None = None


@dataclass(frozen=True)
class Outcomes:
    """Predictions whose labels are known.

    Attributes:
        kind: What is predicted.
        table: The columns `label`, `predicted` and `loss`.
    """

    kind: PredictionKind
    table: pd.DataFrame

    @classmethod
    def of(cls, evaluation: Evaluation) -> Self:
        """The outcomes of an evaluation."""
        labels, predicted = evaluation.labels, evaluation.predicted[MODEL]
        loss = losses(evaluation.kind, labels, predicted)
        columns = {"label": labels, "predicted": predicted, "loss": loss}
        return cls(evaluation.kind, pd.DataFrame(columns))

    def where(self, chosen: np.ndarray) -> "Outcomes":
        """Some of the outcomes, by a mask."""
        return Outcomes(self.kind, self.table[chosen])

    def metrics(self) -> dict[str, float]:
        """All metrics by name."""
        return scores(self.kind, self.table["label"].to_numpy(), self.table["predicted"].to_numpy())

    def mean(self, column: str) -> float:
        """The mean of a column, NaN for classes."""
        return float("nan") if self.kind == "class" else float(self.table[column].mean())


def performance(current: Evaluation, reference: Evaluation, times: pd.Series | None) -> Performance:
    """The performance on labelled rows, compared with the evaluation of the version.

    Args:
        current: The labelled rows and their predictions.
        reference: The evaluation.
        times: When each row became known, None if unknown.
    """
    new, old = Outcomes.of(current), Outcomes.of(reference)
    groups = {
        column: list(_changes(new, old, current.group(column), reference.group(column), column))
        for column in current.groups
    }
    reference_metrics = old.metrics()
    return Performance(
        score_name(current.kind),
        overall=change(new, old),
        periods=[] if times is None else list(_changes(new, old, parts(times).to_numpy())),
        groups=groups,
        metrics={name: (value, reference_metrics[name]) for name, value in new.metrics().items()},
        usual=0.0 if times is None else _usual(reference, old.table["loss"], times),
    )


def change(
    current: Outcomes,
    reference: Outcomes,
    name: str = "",
    column: str = "",
    confidence: float = _CONFIDENCE,
) -> PerformanceChange:
    """The performance on some outcomes, compared with those of the evaluation."""
    low = high = float("nan")
    loss, reference_loss = current.table["loss"], reference.table["loss"]
    if min(len(loss), len(reference_loss)) > 1:
        test = ttest_ind(loss, reference_loss, equal_var=False)
        interval = test.confidence_interval(confidence)
        scale = float(reference_loss.mean()) or 1.0
        low, high = float(interval.low) / scale, float(interval.high) / scale
    return PerformanceChange(
        name=name,
        column=column,
        rows=len(loss),
        score=current.metrics()[score_name(current.kind)],
        reference_score=reference.metrics()[score_name(current.kind)],
        low=low,
        high=high,
        mean_prediction=current.mean("predicted"),
        mean_label=current.mean("label"),
    )


def compare_challenger(current: Evaluation, version: int, predicted: np.ndarray) -> Challenger:
    """Compare the predictions of another version for the same rows."""
    score = scores(current.kind, current.labels, predicted)[score_name(current.kind)]
    return Challenger(
        version, score, *loss_difference(current, predicted, current.predicted[MODEL])
    )


def _changes(
    current: Outcomes,
    reference: Outcomes,
    keys: np.ndarray,
    reference_keys: np.ndarray | None = None,
    column: str = "",
) -> Iterator[PerformanceChange]:
    """The performance on each part that has enough rows, compared with the same part before."""
    names, counts = np.unique(keys.astype(str), return_counts=True)
    names = names[counts >= MIN_GROUP_ROWS]
    # Bonferroni: among many parts some are worse by chance.
    confidence = 1 - (1 - _CONFIDENCE) / max(1, len(names))
    for name in names:
        same = reference
        if reference_keys is not None:
            same = reference.where(reference_keys.astype(str) == name)
        if len(same.table) >= MIN_GROUP_ROWS:
            part = current.where(keys.astype(str) == name)
            yield change(part, same, str(name), column, confidence)


def _usual(reference: Evaluation, loss: pd.Series, times: pd.Series) -> float:
    """The growth of the loss in the worst day or week of the evaluation."""
    length = period_length(times)
    # Single days and weeks vary; a month is compared with the whole evaluation.
    if reference.time is None or length == "month":
        return 0.0
    periods = period_names(pd.Series(reference.group(reference.time)), length)
    by_period = loss.groupby(periods.to_numpy())
    means = by_period.mean()[by_period.size() >= MIN_GROUP_ROWS]
    return float(means.max() / loss.mean() - 1) if len(means) else 0.0
