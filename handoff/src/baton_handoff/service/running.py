"""Moved to `baton_handoff.serving.running`; this name goes with 2.0."""

from baton_handoff.serving.running import running

__all__ = ["running"]
