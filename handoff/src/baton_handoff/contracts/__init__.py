"""Contracts: what a table must be, in one form that people and programs can compare."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baton_handoff.contracts.canonical import (
        Contract,
        Engine,
        border,
        canonical_form,
        contracts_at,
        contracts_of,
        engine_of,
        model_interface,
    )
    from baton_handoff.contracts.frames import Frame, from_json, from_rows, to_engine, to_rows
    from baton_handoff.contracts.validation import ContractViolation, check
    from baton_handoff.contracts.violations import Rule, RuleKind, Violation

__all__ = [
    "Contract",
    "ContractViolation",
    "Engine",
    "Frame",
    "Rule",
    "RuleKind",
    "Violation",
    "border",
    "canonical_form",
    "check",
    "contracts_at",
    "contracts_of",
    "engine_of",
    "from_json",
    "from_rows",
    "model_interface",
    "to_engine",
    "to_rows",
]


def __getattr__(name: str) -> Any:
    """Import what is used, when it is: comparing contracts needs neither pandera nor a table."""
    for module in ("violations", "canonical", "frames", "validation") if name in __all__ else ():
        imported = importlib.import_module(f"{__name__}.{module}")
        if hasattr(imported, name):
            return getattr(imported, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
