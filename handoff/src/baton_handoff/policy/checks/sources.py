"""Checks of the sources: described, owned, official, and without outdated workarounds."""

from collections.abc import Iterable
from dataclasses import replace

from baton_handoff.lineage.sources import checks
from baton_handoff.policy.checks.check_context import CheckContext, CheckResult, check
from baton_handoff.policy.practices.assessment import State
from baton_handoff.reporting.findings import Finding


@check
def sources_described(context: CheckContext) -> CheckResult:
    """Everything that code reads comes from a source with a description and an owner.

    An unofficial source also needs an end of life and a replacement.
    """
    result = _of_sources(
        context,
        (checks.valid, checks.listed, checks.owned, checks.official),
        "Not every source has a description and an owner.",
        "Each source has a description and an owner, and all reads are known.",
    )
    unknown = tuple(map(_for_both_sides, checks.known(context.sources)))
    if result.state is State.MET and unknown:
        message = "The source of some reads is only known at run time."
        fix = "name the source beside the call: `# source: NAME`"
        return CheckResult(State.NOT_SHOWN, message, unknown, fix)
    if result.state is State.NOT_MET:
        return replace(result, findings=(*result.findings, *unknown))
    return result


@check
def sources_official(context: CheckContext) -> CheckResult:
    """Every source is official, or an exception accepts it: the gate of a promotion."""
    accepted = "source is official or accepted by an exception."
    return _of_sources(context, (checks.accepted,), f"Not every {accepted}", f"Each {accepted}")


@check
def sources_complete(context: CheckContext) -> CheckResult:
    """The description of every source is complete."""
    if not context.sources.sources:
        return CheckResult.not_applicable("No source has a description yet.")
    return _of_sources(
        context,
        (checks.complete,),
        "Not every source has a complete description.",
        "The description of each source is complete.",
    )


@check
def workarounds_needed(context: CheckContext) -> CheckResult:
    """Every workaround names a problem that its source still has."""
    needed = "workaround is for a known problem of its source."
    return _of_sources(context, (checks.workarounds,), f"Not every {needed}", f"Each {needed}")


def _of_sources(
    context: CheckContext, source_checks: Iterable[checks.Check], bad: str, good: str
) -> CheckResult:
    sources = context.sources
    if not (sources.sources or sources.reads or sources.invalid_files):
        return CheckResult.not_applicable("The code reads no data yet.")
    findings = [_for_both_sides(one) for find in source_checks for one in find(sources)]
    return CheckResult.not_met(bad, *findings) if findings else CheckResult.met(good)


def _for_both_sides(finding: Finding) -> Finding:
    """Address a finding about data to both sides: the tier decides how much each has to do.

    The side that takes over code takes over what it reads. A finding in a notebook stays data
    science's, because exploration requires nothing of the other side.
    """
    if finding.side is None or (finding.file or "").endswith(".ipynb"):
        return finding
    message = f"{finding.message} ({finding.side} answers for this file)"
    return replace(finding, message=message, side=None)
