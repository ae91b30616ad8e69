"""The checks of practices: each reads files and evidence, and returns one result."""

from importlib import import_module

from baton_handoff.policy.checks.check_context import CHECKS

__all__ = ["CHECKS"]

# Each module registers its checks when it is imported.
for module in ("code", "collaboration", "contracts", "data", "delivery", "exploration", "setup"):
    import_module(f"{__name__}.{module}")
for module in ("sources", "tests", "tools"):
    import_module(f"{__name__}.{module}")
