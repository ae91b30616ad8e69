"""Checks of the code as text: style, types, who imports whom."""

from baton_handoff.policy.checks.check_context import (
    Look,
    Seen,
    met,
    missing,
    not_met,
    of_run,
    place,
)
from baton_handoff.policy.practices.assessment import State


def formatted(look: Look) -> Seen:
    """All code has one style."""
    return _of_tool(look, "format", "All code has one style.", "Some code has another style.")


def linted(look: Look) -> Seen:
    """The linter finds nothing."""
    return _of_tool(look, "lint", "The linter finds nothing.", "The linter finds faults.")


def typed(look: Look) -> Seen:
    """Types are stated, and fit."""
    evidence = look.record.of("types")
    for file, line, message in evidence.found if evidence else ():
        # Where mypy meets one it looks at nothing else, so nobody knows what else there is.
        if message.startswith("syntax: "):
            says = f"mypy reads no further than {file}, which is no Python."
            mend = f"mend {file}:{line}, then `uv run poe check --only types`"
            return Seen(State.NOT_SHOWN, says, (), mend)
    return _of_tool(look, "types", "Types are stated, and fit.", "Types are missing, or don't fit.")


def layers_kept(look: Look) -> Seen:
    """Every room imports only what it may."""
    return of_run(
        look, "layers", "Every room imports only what it may.", "A room imports what it may not."
    )


def features_inside(look: Look) -> Seen:
    """No feature is computed outside features/."""
    return of_run(
        look,
        "features",
        "No feature is computed outside features/.",
        "A feature is computed outside features/.",
    )


def _of_tool(look: Look, kind: str, good: str, bad: str) -> Seen:
    """What a tool found, each place as a matter of the side that answers for the file.

    Notebooks never block, so what is found there asks for nothing.
    """
    evidence = look.record.of(kind)
    if evidence is None:
        return missing(look, kind)
    if evidence.ok:
        return met(good)
    found = [
        place(message, file, line, look.project.side_of(file))
        for file, line, message in evidence.found
        if not file.endswith(".ipynb")
    ]
    if evidence.found and not found:
        return met(f"{good} Notebooks aside, where nothing blocks.")
    return not_met(bad, *found)
