"""Checks of the history: both sides at work together, early."""

from baton_handoff.policy.checks.check_context import Look, Seen
from baton_handoff.policy.checks.collaboration import early_work, history_of


def early_work_together(look: Look) -> Seen:
    """The contract is older than the training code, and both sides worked at what they share."""
    early = early_work(look.project, *history_of(look.project))
    return Seen(early.state, early.says, early.findings, early.fix)
