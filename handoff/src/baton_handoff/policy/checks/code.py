"""Checks of code: style, faults, types, layers, features, API models."""

from functools import partial

from baton_handoff.notebooks.scan import Known, finding, scan
from baton_handoff.policy.checks.check_context import (
    CHECKS,
    CheckContext,
    CheckResult,
    check,
    finding_at,
)
from baton_handoff.policy.evidence.tool_findings import is_syntax_error

_STEPS = {
    "formatted": ("format", "All code has one style.", "Some code has another style."),
    "linted": ("lint", "The linter reports nothing.", "The linter reports faults."),
    "typed": ("types", "All types match.", "Types are missing or don't match."),
    "layers_kept": ("layers", "Imports follow the layers.", "An import breaks the layers."),
    "features_inside": (
        "features",
        "All features are computed in features/.",
        "A feature is computed outside features/.",
    ),
    "api_current": (
        "api",
        "The API models match the contracts.",
        "The API models don't match the contracts.",
    ),
}
"""For each check its step, and the messages if that finds nothing, and if it finds something."""


def _of_step(context: CheckContext, kind: str, good: str, bad: str) -> CheckResult:
    """Report the findings of a step, each to the side that answers for its file.

    Notebooks never block, so findings in them don't count.
    """
    evidence = context.evidence.current(kind)
    if evidence is None:
        return context.missing_evidence(kind)
    if evidence.ok:
        return CheckResult.met(good)
    # mypy stops at a file that it can't parse, so the types of all the others are unknown.
    for found in evidence.findings:
        if kind == "types" and is_syntax_error(found):
            return CheckResult.not_shown(
                f"mypy stops at {found.file}, which is not valid Python.",
                f"fix {found.place}, then `uv run poe check --only types`",
            )
    findings = [
        finding_at(found.message, found.file, found.line, context.project.side_of(found.file))
        for found in evidence.findings
        if found.file and not found.file.endswith(".ipynb")
    ]
    if evidence.findings and not findings:
        return CheckResult.met(f"{good} Findings in notebooks don't count.")
    return CheckResult.not_met(bad, *findings)


for name, (step, nothing_found, something_found) in _STEPS.items():
    CHECKS[name] = partial(_of_step, kind=step, good=nothing_found, bad=something_found)


@check
def shortcuts_removed(context: CheckContext) -> CheckResult:
    """The package has no code that is fine in a notebook only."""
    modules = context.code.modules
    if context.project.adopted:
        modules = [module for module in modules if module.file.startswith("src/")]
    if not any(module.tree.body for module in modules):
        return CheckResult.not_applicable("There is no code outside notebooks.")
    places = scan(modules, Known(), with_ruff=False)
    sides = (context.project.side_of(place.module.file) for place in places)
    if findings := [finding(one, side) for one, side in zip(places, sides, strict=True)]:
        return CheckResult.not_met("The package contains shortcuts of exploration.", *findings)
    return CheckResult.met("The package contains no shortcut of exploration.")
