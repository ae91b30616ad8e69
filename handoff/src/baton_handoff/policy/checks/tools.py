"""Checks of the tools: chosen on purpose, and reviewed."""

from baton_handoff.core.git import is_shallow
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check
from baton_handoff.policy.decisions import (
    first_commit_day,
    overdue_reviews,
    read_decisions,
    runtime_packages,
    unjustified_tools,
)


@check
def tools_chosen(context: CheckContext) -> CheckResult:
    """A decision with alternatives and reasons covers each package of run time and training."""
    needed = runtime_packages(context.project)
    if not needed:
        return CheckResult.not_applicable("Run time, service and training need no package.")
    if findings := unjustified_tools(read_decisions(context.project), needed):
        return CheckResult.not_met("Not every tool has a decision.", *findings)
    return CheckResult.met(f"Decisions cover all {len(needed)} packages that production needs.")


@check
def tools_reviewed(context: CheckContext) -> CheckResult:
    """No decision is overdue for a review."""
    made = read_decisions(context.project)
    if not made:
        return CheckResult.not_met("docs/decisions/ has no decision about a tool.")
    first = first_commit_day(context.project)
    if findings := overdue_reviews(made, first, context.today):
        return CheckResult.not_met("A decision is overdue for a review.", *findings)
    ageless = first is None and any(one.accepted and one.reviewed is None for one in made)
    if ageless and is_shallow(context.project.root):
        return CheckResult.not_shown(
            "This shallow clone lacks the first commit, from which the age of decisions counts.",
            command="git fetch --unshallow",
        )
    return CheckResult.met("No decision is overdue for a review.")
