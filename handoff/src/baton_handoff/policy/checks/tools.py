"""Checks of the tools: chosen on purpose, and looked at again."""

from baton_handoff.core.git import is_shallow
from baton_handoff.policy.checks.check_context import (
    CheckContext,
    CheckResult,
    met,
    not_applicable,
    not_met,
    not_shown,
)
from baton_handoff.policy.decisions import (
    first_commit_day,
    overdue_reviews,
    read_decisions,
    runtime_packages,
    unjustified_tools,
)


def tools_chosen(context: CheckContext) -> CheckResult:
    """Each package of run time, service and training has a decision with alternatives, reasoned."""
    needed = runtime_packages(context.project)
    if not needed:
        return not_applicable("Run time, service and training need no package.")
    if found := unjustified_tools(read_decisions(context.project), needed):
        return not_met("Not every tool was chosen on purpose.", *found)
    of = "the one package" if len(needed) == 1 else f"each of the {len(needed)} packages"
    return met(f"A decision names {of} that run time, service and training need.")


def tools_reviewed(context: CheckContext) -> CheckResult:
    """No decision is overdue for a second look."""
    made = read_decisions(context.project)
    if not made:
        return not_met("No decision about a tool is written down.")
    first = first_commit_day(context.project)
    if found := overdue_reviews(made, first, context.today):
        return not_met("Somebody has to look again at what was decided.", *found)
    ageless = first is None and any(one.accepted and one.reviewed is None for one in made)
    if ageless and is_shallow(context.project.root):
        message = "This clone lacks the first commit, from which on decisions grow old."
        return not_shown(message, "git fetch --unshallow")
    return met("No decision is overdue for a second look.")
