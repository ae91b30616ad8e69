"""Moved to `baton_handoff.registry.loaded`; this name goes with 2.0."""

from baton_handoff.registry.loaded import Loaded

__all__ = ["Loaded"]
