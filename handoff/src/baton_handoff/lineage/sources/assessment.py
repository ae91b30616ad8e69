"""How far the data that a model is made from is handed over, for the gate of a promotion."""

from collections.abc import Mapping
from dataclasses import dataclass

from baton_handoff.lineage.sources.observation import Seen
from baton_handoff.lineage.sources.odcs import Source


@dataclass(frozen=True)
class Standing:
    """How far sources are handed over.

    Attributes:
        official: The names of those that are official or accepted.
        lacking: What is not, by its name, and why.
        notes: What was accepted, a line each.
    """

    official: tuple[str, ...]
    lacking: Mapping[str, str]
    notes: tuple[str, ...]


def standing(seen: Seen) -> Standing:
    """How far sources are handed over; notebooks make no model."""
    lacking = {source.name: why for source in seen.sources if (why := _lacks(seen, source))}
    lacking |= {flaw.file: f"line {flaw.line}: {flaw.says}" for flaw in reversed(seen.flaws)}
    production = [read for read in seen.reads if not read.in_notebook]
    found = [read for read in production if read in seen.found]
    lacking |= {read.what: f"read in {read.place}, and no source describes it" for read in found}
    lacking |= {
        read.place: f"what `{read.how}` reads is not known statically: say it, `# source: NAME`"
        for read in production
        if read.kind == "unknown" and not read.stated
    }
    notes = []
    for source in seen.sources:
        accepted = seen.exception(source)
        if accepted and not source.official:
            until = f"until {accepted.expires} by {accepted.owner}: {accepted.reason}"
            notes.append(f"{source.name}: accepted {until}")
    official = [source.name for source in seen.sources if source.name not in lacking]
    return Standing(tuple(official), lacking, tuple(notes))


def _lacks(seen: Seen, source: Source) -> str:
    """What a source lacks, empty where it is nothing."""
    if seen.ended(source):
        return f"past its end of life since {source.end_of_life}"
    return {
        "found": "nobody is named who answers for it",
        "owned": "owned, and not official",
        "official": "",
    }[seen.state(source)]
