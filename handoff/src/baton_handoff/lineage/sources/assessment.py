"""How far the data for a model is handed over, for the gate of a promotion."""

from collections.abc import Mapping
from dataclasses import dataclass

from baton_handoff.lineage.sources.odcs import Source
from baton_handoff.lineage.sources.usage import SourceUsage


@dataclass(frozen=True)
class SourceAssessment:
    """How far sources are handed over.

    Attributes:
        official: The names of the sources that are official or accepted by an exception.
        blockers: The reason by source, file, path or place for everything else.
        notes: A line for each accepted source.
    """

    official: tuple[str, ...]
    blockers: Mapping[str, str]
    notes: tuple[str, ...]


def assess_sources(usage: SourceUsage) -> SourceAssessment:
    """Assess the sources that a model is made from: reads in notebooks make none."""
    blockers = {source.name: why for source in usage.sources if (why := _blocker(usage, source))}
    # Reversed, so that the first error of a file remains.
    for finding in reversed(usage.invalid_files):
        blockers[str(finding.file)] = f"line {finding.line}: {finding.message}"
    undescribed = usage.undescribed_reads
    for read in usage.reads:
        if not read.in_notebook and read in undescribed:
            blockers[read.data] = f"read in {read.place}, but no source describes it"
    for read in usage.reads:
        if not read.in_notebook and read.kind == "unknown" and not read.sources:
            blockers[read.place] = (
                f"not known statically what `{read.function}` reads; name it: `# source: NAME`"
            )
    notes = [
        f"{source.name}: accepted until {accepted.expires} by {accepted.owner}: {accepted.reason}"
        for source in usage.sources
        if not source.official and (accepted := usage.exception(source))
    ]
    official = [source.name for source in usage.sources if source.name not in blockers]
    return SourceAssessment(tuple(official), blockers, tuple(notes))


def _blocker(usage: SourceUsage, source: Source) -> str | None:
    if usage.has_ended(source):
        return f"past its end of life since {source.end_of_life}"
    match usage.state(source):
        case "found":
            return "it has no owner"
        case "owned":
            return "owned, but not official"
        case "official":
            return None
