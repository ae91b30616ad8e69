"""Moved to `baton_handoff.registry.wrapper`; this name goes with 2.0."""

from baton_handoff.registry.wrapper import ContractedModel, _load_pyfunc

__all__ = ["ContractedModel", "_load_pyfunc"]
