"""Checks of the history: both sides at work together, early."""

from baton_handoff.policy.checks.check_context import CheckContext, CheckResult
from baton_handoff.policy.checks.collaboration import assess_collaboration, history_of


def early_work_together(context: CheckContext) -> CheckResult:
    """The contract is older than the training code, and both sides worked at what they share."""
    early = assess_collaboration(context.project, *history_of(context.project))
    return CheckResult(early.state, early.message, early.findings, early.fix)
