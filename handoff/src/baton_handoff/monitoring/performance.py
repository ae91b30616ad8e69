"""Performance: how good predictions were, where it is known by now what came true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind

from baton_handoff.evaluation.held_out import MODEL, Evaluation
from baton_handoff.evaluation.metrics import (
    MIN_GROUP_ROWS,
    loss_difference,
    losses,
    score_name,
    scores,
)
from baton_handoff.monitoring.periods import labels, length_of, over_time

_CERTAINTY = 0.95


@dataclass(frozen=True)
class Change:
    """How good predictions are of some rows, against those of the evaluation.

    Attributes:
        of: Which rows: a period, a subgroup, or empty for all.
        rows: How many there are.
        score: The one figure, the higher the better.
        before: The same in the evaluation, NaN where it has too few such rows.
        low: By how much the loss has grown at least, as a share of what it was.
        high: By how much at most.
        said: What was predicted on average, NaN of a class.
        came: What came true on average, likewise.
    """

    of: str
    rows: int
    score: float
    before: float
    low: float
    high: float
    said: float
    came: float


@dataclass(frozen=True)
class Performance:
    """How good predictions were.

    Attributes:
        figure: The name of the one figure.
        overall: Of all rows of which the truth is known.
        periods: Of each period, as they follow each other.
        groups: For each column of subgroups, of each subgroup that has enough rows.
        figures: All figures, now and in the evaluation.
        usual: By how much the loss was larger in the evaluation's worst day or week, as a share,
            where the rows cover no more than that; 0 for longer periods.
        challenger: Another version on the same rows, None where none was asked.
    """

    figure: str
    overall: Change
    periods: Sequence[Change]
    groups: Mapping[str, Sequence[Change]]
    figures: Mapping[str, tuple[float, float]]
    usual: float = 0.0
    challenger: "Compared | None" = None


@dataclass(frozen=True)
class Compared:
    """Another version on the same rows.

    Attributes:
        version: Its number.
        score: Its figure.
        low: By how much its loss is larger at least, as a share; negative where it is smaller.
        high: By how much at most.
    """

    version: int
    score: float
    low: float
    high: float


def performance(now: Evaluation, before: Evaluation, moments: pd.Series | None) -> Performance:
    """How good predictions are, against those of the evaluation that the version came with.

    Args:
        now: Rows of which the truth is known, and what was predicted for them.
        before: The evaluation.
        moments: When each row was known, None where nothing says so.
    """
    then, current = (
        scores(known.kind, known.labels, known.predicted[MODEL]) for known in (before, now)
    )
    groups = {
        column: _each(now, before, now.group(column).astype(str), before.group(column).astype(str))
        for column in now.groups
    }
    return Performance(
        figure=score_name(now.kind),
        overall=change(now, before),
        periods=[] if moments is None else _each(now, before, over_time(moments).to_numpy(), None),
        groups=groups,
        figures={name: (value, then[name]) for name, value in current.items()},
        usual=0.0 if moments is None else _usual(before, moments),
    )


def _usual(before: Evaluation, moments: pd.Series) -> float:
    """Single days and weeks go up and down; a month is held against the whole evaluation."""
    length = length_of(moments)
    if before.time is None or length == "month":
        return 0.0
    lost = pd.Series(losses(before.kind, before.labels, before.predicted[MODEL]))
    by_period = lost.groupby(labels(pd.Series(before.group(before.time)), length).to_numpy())
    means = by_period.mean()[by_period.size() >= MIN_GROUP_ROWS]
    return float((means.max() / lost.mean()) - 1) if len(means) else 0.0


def change(
    now: Evaluation, before: Evaluation, of: str = "", certainty: float = _CERTAINTY
) -> Change:
    """How good predictions are, against others."""
    lost, was = (losses(e.kind, e.labels, e.predicted[MODEL]) for e in (now, before))
    low = high = float("nan")
    if min(len(lost), len(was)) > 1:
        ends = ttest_ind(lost, was, equal_var=False).confidence_interval(certainty)
        scale = float(was.mean()) or 1.0
        low, high = float(ends.low) / scale, float(ends.high) / scale
    named = now.kind == "class"
    return Change(
        of,
        len(now.labels),
        _score(now),
        _score(before) if len(before.labels) else float("nan"),
        low,
        high,
        float("nan") if named else float(now.predicted[MODEL].mean()),
        float("nan") if named else float(now.labels.mean()),
    )


def _each(
    now: Evaluation, before: Evaluation, mine: np.ndarray, theirs: np.ndarray | None
) -> list[Change]:
    """The change of each part that has enough rows; the more parts, the more certain it must be."""
    names, sizes = np.unique(mine, return_counts=True)
    enough = [str(name) for name, size in zip(names, sizes, strict=True) if size >= MIN_GROUP_ROWS]
    certainty = 1 - (1 - _CERTAINTY) / max(1, len(enough))
    found = []
    for name in enough:
        then = before if theirs is None else part(before, theirs == name)
        if len(then.labels) >= MIN_GROUP_ROWS:
            found.append(change(part(now, mine == name), then, name, certainty))
    return found


def part(evaluation: Evaluation, which: np.ndarray) -> Evaluation:
    """Only some outcomes of an evaluation; its rows are not looked at any more."""
    said = {name: values[which] for name, values in evaluation.predicted.items()}
    return replace(evaluation, labels=evaluation.labels[which], predicted=said)


def compared(now: Evaluation, version: int, said: np.ndarray) -> Compared:
    """Another version on the same rows."""
    figures = scores(now.kind, now.labels, said)
    low, high = loss_difference(now, said, now.predicted[MODEL])
    return Compared(version, figures[score_name(now.kind)], low, high)


def _score(evaluation: Evaluation) -> float:
    found = scores(evaluation.kind, evaluation.labels, evaluation.predicted[MODEL])
    return found[score_name(evaluation.kind)]
