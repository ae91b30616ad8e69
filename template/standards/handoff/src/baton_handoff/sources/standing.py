"""How far the data that a model is made from is handed over, for the gate of a promotion."""

from collections.abc import Mapping
from dataclasses import dataclass

from baton_handoff.sources.seen import Seen


@dataclass(frozen=True)
class Standing:
    """How far sources are handed over.

    Attributes:
        official: The names of those that are official or accepted.
        lacking: What is not, by its name, and why.
        notes: What was accepted, and what could not be looked at, a line each.
    """

    official: tuple[str, ...]
    lacking: Mapping[str, str]
    notes: tuple[str, ...]


def standing(seen: Seen) -> Standing:
    """How far sources are handed over; notebooks make no model."""
    short = [source for source in seen.sources if seen.state(source) != "official"]
    lacking = {source.name: _lacks(seen.state(source)) for source in short}
    lacking |= {flaw.file: f"line {flaw.line}: {flaw.says}" for flaw in reversed(seen.flaws)}
    production = [read for read in seen.reads if not read.in_notebook]
    found = [read for read in production if read in seen.found]
    lacking |= {read.what: f"read in {read.place}, and no source describes it" for read in found}
    notes = []
    for source in seen.sources:
        accepted = seen.exception(source)
        if accepted and not source.official:
            until = f"until {accepted.expires} by {accepted.owner}: {accepted.reason}"
            notes.append(f"{source.name}: accepted {until}")
    notes += [
        f"what {read.place} reads is not known statically"
        for read in production
        if read.kind == "unknown" and not read.stated
    ]
    official = [source.name for source in seen.sources if source not in short]
    return Standing(tuple(official), lacking, tuple(notes))


def _lacks(state: str) -> str:
    return "nobody is named who answers for it" if state == "found" else "owned, and not official"
