"""Moved to `baton_handoff.serving.batch`; this name goes with 2.0."""

from baton_handoff.serving.batch import Scored, score_file

__all__ = ["Scored", "score_file"]
