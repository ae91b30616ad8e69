"""What an evaluation shows that a person should look at before handing the model over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from baton_handoff.evaluation.held_out import MODEL, Evaluation
from baton_handoff.evaluation.metrics import loss_difference, losses, score_name, scores

TOO_GOOD = 0.99
"""The score from which a model is suspected to know its target."""


class ConcernKind(StrEnum):
    """What may be wrong with a model."""

    WORSE = "worse"
    NOT_CERTAINLY_BETTER = "not-certainly-better"
    TOO_GOOD = "too-good"


@dataclass(frozen=True)
class Concern:
    """A model that a baseline beats, or that is too good to be true.

    Attributes:
        kind: Which of them.
        baseline: The baseline that it was compared with.
        model_scores: The metrics of the model by name.
        baseline_scores: The metrics of the baseline.
        rows: The number of rows of the evaluation.
    """

    kind: ConcernKind
    baseline: str
    model_scores: Mapping[str, float]
    baseline_scores: Mapping[str, float]
    rows: int

    def __str__(self) -> str:
        """The concern as a sentence with its numbers, and what to look for."""
        numbers = (
            f"{_figures(self.model_scores)} ({self.baseline}: {_figures(self.baseline_scores)})"
            f" on {self.rows:,} rows that it was not trained on"
        )
        match self.kind:
            case ConcernKind.WORSE:
                return (
                    f"The model is worse than the baseline {self.baseline}: {numbers}. Add features"
                    " that tell more about the target, or another estimator."
                )
            case ConcernKind.NOT_CERTAINLY_BETTER:
                return (
                    f"The model is not certainly better than the baseline {self.baseline}:"
                    f" {numbers}. Add features or rows."
                )
            case ConcernKind.TOO_GOOD:
                return (
                    f"The model may be too good to be true: {numbers}. Look for a column that is"
                    " derived from the target, or known only after it, and leave it out."
                )


def concerns(evaluation: Evaluation) -> Iterator[Concern]:
    """Yield each baseline that the model does not beat, and whether it is too good to be true."""
    kind, labels, predicted = evaluation.kind, evaluation.labels, evaluation.predicted
    if MODEL not in predicted:
        return
    name, own = score_name(kind), scores(kind, labels, predicted[MODEL])
    best: tuple[str, Mapping[str, float]] | None = None
    for baseline, answers in predicted.items():
        if baseline == MODEL:
            continue
        other = scores(kind, labels, answers)
        if best is None or other[name] > best[1][name]:
            best = baseline, other
        mean, mean_other = (
            losses(kind, labels, answer).mean() for answer in (predicted[MODEL], answers)
        )
        _, high = loss_difference(evaluation, predicted[MODEL], answers)
        if own[name] < other[name] or mean > mean_other:
            yield Concern(ConcernKind.WORSE, baseline, own, other, len(labels))
        elif high >= 0:
            yield Concern(ConcernKind.NOT_CERTAINLY_BETTER, baseline, own, other, len(labels))
    # Where nearly all rows have one class, a high score is no surprise.
    if best and own[name] >= TOO_GOOD and 1 - own[name] <= (1 - best[1][name]) / 10:
        yield Concern(ConcernKind.TOO_GOOD, best[0], own, best[1], len(labels))


def _figures(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
