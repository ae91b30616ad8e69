"""Checks of the sources: described, owned, official, and no workaround longer than it is needed."""

from collections.abc import Sequence

from baton_handoff.practices.checks.look import Look, Seen, met, not_applicable, not_met
from baton_handoff.sources import checks


def sources_described(look: Look) -> Seen:
    """Whatever is read comes from a source that is described, and has an owner."""
    return _seen(look, (checks.valid, checks.listed, checks.owned), "described, and owned")


def sources_official(look: Look) -> Seen:
    """Every source is official, or its end and what replaces it are known."""
    return _seen(look, (checks.official,), "official, or has an end and a replacement")


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
