"""Moved to `baton_handoff.core`; this name goes with 2.0."""

from baton_handoff.core.command import in_one_sentence
from baton_handoff.core.errors import HandoffError

__all__ = ["HandoffError", "in_one_sentence"]
