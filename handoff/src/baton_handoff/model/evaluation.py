"""Moved to `baton_handoff.evaluation.evaluation`; this name goes with 2.0."""

from baton_handoff.evaluation.evaluation import Evaluation, Kind, importance, scores

__all__ = ["Evaluation", "Kind", "importance", "scores"]
