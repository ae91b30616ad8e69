"""Moved to `baton_handoff.registry.register`; this name goes with 2.0."""

from baton_handoff.registry.register import Registered, register

__all__ = ["Registered", "register"]
