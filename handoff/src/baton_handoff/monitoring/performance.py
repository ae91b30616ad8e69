"""Performance: how good predictions are for the rows whose labels are known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind

from baton_handoff.evaluation import metrics
from baton_handoff.evaluation.held_out import MODEL, Evaluation
from baton_handoff.evaluation.metrics import MIN_GROUP_ROWS
from baton_handoff.monitoring.periods import parts, period_length, period_names

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class PerformanceChange:
    """The performance on some rows, compared with a reference.

    The reference is the evaluation of the version; for another version, it is the monitored one.

    Attributes:
        name: The period, the subgroup or the other version; empty for all rows.
        column: The column of the subgroup, otherwise empty.
        rows: The number of rows.
        score: The score, the higher the better.
        reference_score: The score of the reference.
        low: The lower end of the 95 % interval by which the loss is larger than the reference's, as
            a share of it.
        high: The upper end.
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
class Performance:
    """The performance on all labelled rows.

    Attributes:
        score_name: The name of the score.
        overall: All labelled rows.
        parts: Each period in order, then each subgroup, if it has enough rows.
        metrics: Each metric by name, now and in the evaluation.
        usual: How much larger the loss was in the worst day or week of the evaluation, as a share,
            if the rows cover no more than that; otherwise 0.
        challenger: Another version on the same rows, None if none was requested.
    """

    score_name: str
    overall: PerformanceChange
    parts: Sequence[PerformanceChange]
    metrics: Mapping[str, tuple[float, float]]
    usual: float = 0.0
    challenger: PerformanceChange | None = None


def performance(current: Evaluation, reference: Evaluation, times: pd.Series | None) -> Performance:
    """The performance on labelled rows, compared with the evaluation of the version.

    Args:
        current: The labelled rows and their predictions.
        reference: The evaluation.
        times: When each row became known, None if unknown.
    """
    former = _scores(reference)
    found = [] if times is None else list(_changes(current, reference, parts(times)))
    for column in current.groups:
        groups, former_groups = current.group(column), reference.group(column)
        found += _changes(current, reference, groups, former_groups, column)
    return Performance(
        metrics.score_name(current.kind),
        overall=change(current, reference),
        parts=found,
        metrics={name: (score, former[name]) for name, score in _scores(current).items()},
        usual=0.0 if times is None else _usual(reference, times),
    )


def change(
    current: Evaluation,
    reference: Evaluation,
    name: str = "",
    column: str = "",
    confidence: float = _CONFIDENCE,
) -> PerformanceChange:
    """The performance on labelled rows, compared with that on others."""
    low = high = mean_prediction = mean_label = float("nan")
    loss, reference_loss = (_losses(evaluation) for evaluation in (current, reference))
    if min(len(loss), len(reference_loss)) > 1:
        # Welch's test: a model that gets worse has losses of another variance.
        test = ttest_ind(loss, reference_loss, equal_var=False)
        scale = float(reference_loss.mean()) or 1.0
        low, high = (float(end) / scale for end in test.confidence_interval(confidence))
    if current.kind != "class":
        mean_prediction = float(current.predicted[MODEL].mean())
        mean_label = float(current.labels.mean())
    score, reference_score = (_score(evaluation) for evaluation in (current, reference))
    rows = len(current.labels)
    return PerformanceChange(
        *(name, column, rows, score, reference_score, low, high, mean_prediction, mean_label)
    )


def compare_challenger(
    current: Evaluation, version: int, predicted: np.ndarray
) -> PerformanceChange:
    """The performance of another version on the same rows, compared with the monitored one."""
    # The same rows: a paired interval is narrower.
    low, high = metrics.loss_difference(current, predicted, current.predicted[MODEL])
    other = replace(current, predicted={MODEL: predicted})
    return replace(change(other, current, str(version)), low=low, high=high)


def only(evaluation: Evaluation, chosen: np.ndarray) -> Evaluation:
    """Some labels and predictions of an evaluation, by a mask; the rows stay."""
    predicted = {name: values[chosen] for name, values in evaluation.predicted.items()}
    return replace(evaluation, labels=evaluation.labels[chosen], predicted=predicted)


def _changes(
    current: Evaluation,
    reference: Evaluation,
    keys: np.ndarray | pd.Series,
    reference_keys: np.ndarray | None = None,
    column: str = "",
) -> Iterator[PerformanceChange]:
    """The performance on each part that has enough rows, compared with the same part before."""
    names = np.asarray(keys).astype(str)
    parts_found, counts = np.unique(names, return_counts=True)
    large = parts_found[counts >= MIN_GROUP_ROWS]
    # Bonferroni: among many parts some are worse by chance.
    confidence = 1 - (1 - _CONFIDENCE) / max(1, len(large))
    for name in large:
        same = reference
        if reference_keys is not None:
            same = only(reference, reference_keys.astype(str) == name)
        if len(same.labels) >= MIN_GROUP_ROWS:
            yield change(only(current, names == name), same, str(name), column, confidence)


def _usual(reference: Evaluation, times: pd.Series) -> float:
    """The growth of the loss in the worst day or week of the evaluation."""
    length = period_length(times)
    # Single days and weeks vary; a month is compared with the whole evaluation.
    if reference.time is None or length == "month":
        return 0.0
    loss = pd.Series(_losses(reference))
    periods = period_names(pd.Series(reference.group(reference.time)), length)
    by_period = loss.groupby(periods.to_numpy())
    means = by_period.mean()[by_period.size() >= MIN_GROUP_ROWS]
    return float(means.max() / loss.mean() - 1) if len(means) else 0.0


def _losses(evaluation: Evaluation) -> np.ndarray:
    return metrics.losses(evaluation.kind, evaluation.labels, evaluation.predicted[MODEL])


def _scores(evaluation: Evaluation) -> dict[str, float]:
    return metrics.scores(evaluation.kind, evaluation.labels, evaluation.predicted[MODEL])


def _score(evaluation: Evaluation) -> float:
    return _scores(evaluation)[metrics.score_name(evaluation.kind)]
