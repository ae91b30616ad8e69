"""Moved to `baton_handoff.registry.model_registry`; this name goes with 2.0."""

from baton_handoff.registry.model_registry import load

__all__ = ["load"]
