"""Checks of the sources: described, owned, official, and no workaround longer than it is needed."""

from collections.abc import Sequence
from dataclasses import replace

from baton_handoff.lineage.sources import checks
from baton_handoff.policy.checks.check_context import (
    CheckContext,
    CheckResult,
    met,
    not_applicable,
    not_met,
)
from baton_handoff.policy.practices.assessment import State
from baton_handoff.reporting.findings import Finding


def sources_described(context: CheckContext) -> CheckResult:
    """Whatever is seen to be read comes from a source that is described, and has an owner.

    What is unofficial also has an end and a replacement.
    """
    seen = _seen(
        context,
        (checks.valid, checks.listed, checks.owned, checks.official),
        "Not every source is described, and owned.",
        "Each source has a description and an owner, and nothing else is seen to be read.",
    )
    unknown = tuple(map(_of_both, checks.known(context.sources)))
    match seen.state:
        case State.MET if unknown:
            message = "Not everything that is read is known without running it."
            fix = "say beside the call which source it reads, `# source: NAME`"
            return CheckResult(State.NOT_SHOWN, message, unknown, fix)
        case State.NOT_MET:
            return not_met(seen.message, *seen.findings, *unknown)
    return seen


def sources_official(context: CheckContext) -> CheckResult:
    """Every source is official, or it is accepted that it is not: what a promotion's gate asks."""
    return _seen(
        context,
        (checks.accepted,),
        "Not every source is official, or accepted.",
        "Each source says that it is official, or is accepted as it is.",
    )


def sources_complete(context: CheckContext) -> CheckResult:
    """Of every source everything is said that one has to know to use it."""
    if not context.sources.sources:
        return not_applicable("No source is described yet.")
    return _seen(
        context,
        (checks.complete,),
        "Not every source is described in full.",
        "Each source says all that one has to know to use it.",
    )


def workarounds_needed(context: CheckContext) -> CheckResult:
    """Every workaround names a problem that its source still has."""
    return _seen(
        context,
        (checks.workarounds,),
        "Not every workaround is for a problem that its source says it has.",
        "Each workaround is for a problem that its source says it has.",
    )


def _seen(context: CheckContext, those: Sequence[checks.Check], bad: str, good: str) -> CheckResult:
    seen = context.sources
    if not (seen.sources or seen.reads or seen.invalid_files):
        return not_applicable("Nothing is read yet.")
    if found := [_of_both(finding) for check in those for finding in check(seen)]:
        return not_met(bad, *found)
    return met(good)


def _of_both(finding: Finding) -> Finding:
    """A finding about data: how much it is asked of a side, its tier says, whose file it is in.

    Whoever takes over code takes over what it reads. One in a notebook stays data science's:
    exploration asks nothing of anybody else.
    """
    if finding.side is None or (finding.file or "").endswith(".ipynb"):
        return finding
    message = f"{finding.message} ({finding.side} answers for this file)"
    return replace(finding, message=message, side=None)
