"""Contracts: what a table must be, in one form that people and programs can compare."""

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
from baton_handoff.contracts.frames import (
    Frame,
    from_json,
    from_rows,
    to_engine,
    to_rows,
)
from baton_handoff.contracts.text_patterns import use_whole_patterns
from baton_handoff.contracts.validation import ContractViolation, check
from baton_handoff.contracts.violations import Rule, RuleKind, Violation

use_whole_patterns()

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
