"""Moved to `baton_handoff.evaluation.plots`; this name goes with 2.0."""

from baton_handoff.evaluation.plots import draw

__all__ = ["draw"]
