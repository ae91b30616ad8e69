"""Checks of code: style, faults, types, layers, features, API models."""

from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check, finding_at


@check
def formatted(context: CheckContext) -> CheckResult:
    """All code has one style."""
    return _of_tool(context, "format", "All code has one style.", "Some code has another style.")


@check
def linted(context: CheckContext) -> CheckResult:
    """The linter reports nothing."""
    return _of_tool(context, "lint", "The linter reports nothing.", "The linter reports faults.")


@check
def typed(context: CheckContext) -> CheckResult:
    """All functions have types, and the types match."""
    return _of_tool(context, "types", "All types match.", "Types are missing or don't match.")


@check
def layers_kept(context: CheckContext) -> CheckResult:
    """Each layer imports only the layers below it."""
    return _of_tool(context, "layers", "Imports follow the layers.", "An import breaks the layers.")


@check
def features_inside(context: CheckContext) -> CheckResult:
    """All features are computed in features/."""
    good = "All features are computed in features/."
    return _of_tool(context, "features", good, "A feature is computed outside features/.")


@check
def api_current(context: CheckContext) -> CheckResult:
    """The API models are generated from the current contracts."""
    good = "The API models match the contracts."
    return _of_tool(context, "api", good, "The API models don't match the contracts.")


def _of_tool(context: CheckContext, kind: str, good: str, bad: str) -> CheckResult:
    """Report the findings of a step, each to the side that answers for its file.

    Notebooks never block, so findings in them don't count.
    """
    evidence = context.evidence.current(kind)
    if evidence is None:
        return context.missing_evidence(kind)
    if evidence.ok:
        return CheckResult.met(good)
    # mypy stops at a file that it can't parse, so the types of all the others are unknown.
    for found in evidence.found:
        if kind == "types" and found.is_syntax_error:
            return CheckResult.not_shown(
                f"mypy stops at {found.file}, which is not valid Python.",
                f"fix {found.file}:{found.line}, then `uv run poe check --only types`",
            )
    findings = [
        finding_at(found.text, found.file, found.line, context.project.side_of(found.file))
        for found in evidence.found
        if not found.file.endswith(".ipynb")
    ]
    if evidence.found and not findings:
        return CheckResult.met(f"{good} Findings in notebooks don't count.")
    return CheckResult.not_met(bad, *findings)
