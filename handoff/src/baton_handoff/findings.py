"""Moved to `baton_handoff.reporting.findings`; this name goes with 2.0."""

from baton_handoff.reporting.findings import Finding

__all__ = ["Finding"]
