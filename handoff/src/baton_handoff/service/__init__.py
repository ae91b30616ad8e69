"""Moved to `baton_handoff.serving`; this name goes with 2.0."""

from baton_handoff.serving import create_app

__all__ = ["create_app"]
