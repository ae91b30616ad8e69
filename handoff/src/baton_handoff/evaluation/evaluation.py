"""Names of release 1.0 that projects import: until 2.0."""

from collections.abc import Mapping, Sequence

import numpy as np

from baton_handoff.contracts import Frame
from baton_handoff.evaluation import held_out
from baton_handoff.evaluation.held_out import PredictionKind as Kind
from baton_handoff.evaluation.held_out import read_evaluation
from baton_handoff.evaluation.metrics import importance, scores

__all__ = ["Evaluation", "Kind", "importance", "read_evaluation", "scores"]


# The name and the signature of the class that it was.
def Evaluation(  # noqa: N802, PLR0913, PLR0917
    rows: Frame,
    truth: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    kind: Kind,
    answer: str,
    groups: Sequence[str] = (),
    time: str | None = None,
    learnt_until: str | None = None,
    threshold: float = 0.5,
    learnt: Frame | None = None,
) -> held_out.Evaluation:
    """Make an evaluation from the field names of release 1.0."""
    return held_out.Evaluation(
        rows, truth, predicted, kind, answer, groups, time, learnt_until, threshold, learnt
    )
