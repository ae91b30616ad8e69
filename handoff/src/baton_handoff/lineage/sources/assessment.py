"""How far the data that a model is made from is handed over, for the gate of a promotion."""

from collections.abc import Mapping
from dataclasses import dataclass

from baton_handoff.lineage.sources.odcs import Source
from baton_handoff.lineage.sources.usage import SourceUsage


@dataclass(frozen=True)
class SourceAssessment:
    """How far sources are handed over.

    Attributes:
        official: The names of those that are official or accepted.
        blockers: What is not, by its name, and why.
        notes: What was accepted, a line each.
    """

    official: tuple[str, ...]
    blockers: Mapping[str, str]
    notes: tuple[str, ...]


def assess_sources(usage: SourceUsage) -> SourceAssessment:
    """How far sources are handed over; notebooks make no model."""
    blockers = {source.name: why for source in usage.sources if (why := _lacks(usage, source))}
    blockers |= {
        flaw.file: f"line {flaw.line}: {flaw.says}" for flaw in reversed(usage.invalid_files)
    }
    production = [read for read in usage.reads if not read.in_notebook]
    found = [read for read in production if read in usage.found]
    blockers |= {read.what: f"read in {read.place}, and no source describes it" for read in found}
    blockers |= {
        read.place: f"what `{read.how}` reads is not known statically: say it, `# source: NAME`"
        for read in production
        if read.kind == "unknown" and not read.stated
    }
    notes = []
    for source in usage.sources:
        accepted = usage.exception(source)
        if accepted and not source.official:
            until = f"until {accepted.expires} by {accepted.owner}: {accepted.reason}"
            notes.append(f"{source.name}: accepted {until}")
    official = [source.name for source in usage.sources if source.name not in blockers]
    return SourceAssessment(tuple(official), blockers, tuple(notes))


def _lacks(usage: SourceUsage, source: Source) -> str:
    """What a source lacks, empty where it is nothing."""
    if usage.ended(source):
        return f"past its end of life since {source.end_of_life}"
    return {
        "found": "nobody is named who answers for it",
        "owned": "owned, and not official",
        "official": "",
    }[usage.state(source)]
