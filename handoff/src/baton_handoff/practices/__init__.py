"""Moved to `baton_handoff.policy`; this name goes with 2.0."""
