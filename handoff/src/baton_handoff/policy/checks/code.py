"""Checks of the code as text: style, types, who imports whom."""

from baton_handoff.policy.checks.check_context import (
    CheckContext,
    CheckResult,
    finding_at,
    from_evidence,
    met,
    missing_evidence,
    not_met,
)
from baton_handoff.policy.practices.assessment import State


def formatted(context: CheckContext) -> CheckResult:
    """All code has one style."""
    return _of_tool(context, "format", "All code has one style.", "Some code has another style.")


def linted(context: CheckContext) -> CheckResult:
    """The linter finds nothing."""
    return _of_tool(context, "lint", "The linter finds nothing.", "The linter finds faults.")


def typed(context: CheckContext) -> CheckResult:
    """Types are stated, and fit."""
    evidence = context.evidence.current("types")
    for file, line, message in evidence.found if evidence else ():
        # Where mypy meets one it looks at nothing else, so nobody knows what else there is.
        if message.startswith("syntax: "):
            stopped = f"mypy reads no further than {file}, which is no Python."
            mend = f"mend {file}:{line}, then `uv run poe check --only types`"
            return CheckResult(State.NOT_SHOWN, stopped, (), mend)
    return _of_tool(
        context, "types", "Types are stated, and fit.", "Types are missing, or don't fit."
    )


def layers_kept(context: CheckContext) -> CheckResult:
    """Every room imports only what it may."""
    return from_evidence(
        context, "layers", "Every room imports only what it may.", "A room imports what it may not."
    )


def features_inside(context: CheckContext) -> CheckResult:
    """No feature is computed outside features/."""
    return from_evidence(
        context,
        "features",
        "No feature is computed outside features/.",
        "A feature is computed outside features/.",
    )


def _of_tool(context: CheckContext, kind: str, good: str, bad: str) -> CheckResult:
    """What a tool found, each place as a matter of the side that answers for the file.

    Notebooks never block, so what is found there asks for nothing.
    """
    evidence = context.evidence.current(kind)
    if evidence is None:
        return missing_evidence(context, kind)
    if evidence.ok:
        return met(good)
    found = [
        finding_at(message, file, line, context.project.side_of(file))
        for file, line, message in evidence.found
        if not file.endswith(".ipynb")
    ]
    if evidence.found and not found:
        return met(f"{good} Notebooks aside, where nothing blocks.")
    return not_met(bad, *found)
