"""Moved to `baton_handoff.evaluation` and `baton_handoff.registry`; this name goes with 2.0."""
