"""Checks of the sources: described, owned, official, and no workaround longer than it is needed."""

from collections.abc import Sequence

from baton_handoff.practices.checks.look import Look, Seen, met, not_applicable, not_met
from baton_handoff.practices.standing import State
from baton_handoff.sources import checks


def sources_described(look: Look) -> Seen:
    """Whatever is read comes from a source that is described, and has an owner.

    What is unofficial also has an end and a replacement.
    """
    asked = (checks.valid, checks.listed, checks.owned, checks.official)
    seen = _seen(look, asked, "described, and owned")
    unknown = tuple(checks.known(look.sources))
    match seen.state:
        case State.MET if unknown:
            says = "Not everything that is read is known without running it."
            fix = "say beside the call which source it reads, `# source: NAME`"
            return Seen(State.NOT_SHOWN, says, unknown, fix)
        case State.NOT_MET:
            return not_met(seen.says, *seen.findings, *unknown)
    return seen


def sources_official(look: Look) -> Seen:
    """Every source is official, or it is accepted that it is not: what a promotion's gate asks."""
    return _seen(look, (checks.offered,), "official, or accepted")


def sources_complete(look: Look) -> Seen:
    """Of every source everything is said that one has to know to use it."""
    if not look.sources.sources:
        return not_applicable("No source is described yet.")
    return _seen(look, (checks.complete,), "described in full")


def workarounds_needed(look: Look) -> Seen:
    """Every workaround names a problem that its source still has."""
    return _seen(look, (checks.workarounds,), "worked around only where it is needed")


def _seen(look: Look, those: Sequence[checks.Check], how: str) -> Seen:
    seen = look.sources
    if not (seen.sources or seen.reads or seen.flaws):
        return not_applicable("Nothing is read yet.")
    if found := [finding for check in those for finding in check(seen)]:
        return not_met(f"Not every source is {how}.", *found)
    return met(f"Every source is {how}.")
