"""Names of release 1.0 that projects import: until 2.0."""

from typing import Any

from baton_handoff.evaluation import held_out
from baton_handoff.evaluation.held_out import PredictionKind as Kind
from baton_handoff.evaluation.held_out import read_evaluation
from baton_handoff.evaluation.metrics import importance, scores

__all__ = ["Evaluation", "Kind", "importance", "read_evaluation", "scores"]

_RENAMED = {
    "truth": "labels",
    "answer": "prediction_column",
    "learnt_until": "trained_until",
    "learnt": "training_sample",
}


def Evaluation(*values: Any, **fields: Any) -> held_out.Evaluation:  # noqa: N802
    """Make an evaluation from the field names of release 1.0."""
    return held_out.Evaluation(*values, **{_RENAMED.get(n, n): v for n, v in fields.items()})
