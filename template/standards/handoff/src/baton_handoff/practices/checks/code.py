"""Checks of the code as text: style, types, who imports whom."""

from baton_handoff.practices.checks.look import Look, Seen, of_run


def formatted(look: Look) -> Seen:
    """All code has one style."""
    return of_run(look, "format", "All code has one style.", "Some code has another style.")


def linted(look: Look) -> Seen:
    """The linter finds nothing."""
    return of_run(look, "lint", "The linter finds nothing.", "The linter finds faults.")


def typed(look: Look) -> Seen:
    """Types are stated, and fit."""
    return of_run(look, "types", "Types are stated, and fit.", "Types are missing, or don't fit.")


def layers_kept(look: Look) -> Seen:
    """Every room imports only what it may."""
    return of_run(
        look, "layers", "Every room imports only what it may.", "A room imports what it may not."
    )


def features_inside(look: Look) -> Seen:
    """Features are computed in one place."""
    return of_run(
        look,
        "features",
        "No feature is stated otherwise than in its contract.",
        "Features and their contract don't agree.",
    )
