"""Sources and what is read, as text for a terminal and as data for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from baton_handoff.lineage.sources.odcs import Source
from baton_handoff.lineage.sources.reads import Read
from baton_handoff.lineage.sources.usage import SourceUsage

_LONGEST = 60


def as_text(usage: SourceUsage) -> str:
    """Every source with its state, and every place that reads, for people."""
    parts = []
    if usage.sources:
        head = ["SOURCE", "STATE", "OWNER", "LAYER", "UNTIL", "CONTRACT", "OPEN PROBLEMS"]
        parts.append(_table(head, [_source(usage, source) for source in usage.sources]))
    if usage.reads:
        head = ["READ IN", "READS", "SOURCE"]
        parts.append(_table(head, [[r.place, _what(r), covered_by(usage, r)] for r in usage.reads]))
    parts += [f"{flaw.file}:{flaw.line}: {flaw.says}" for flaw in usage.invalid_files]
    return "\n\n".join(parts)


def as_data(usage: SourceUsage) -> dict[str, Any]:
    """The same for programs."""
    return {
        "sources": [
            {
                **{k: v for k, v in asdict(source).items() if k not in ("lines", "end_of_life")},
                "end_of_life": source.end_of_life and source.end_of_life.isoformat(),
                "state": usage.state(source),
                "accepted": exception.reason if (exception := usage.exception(source)) else None,
                "read_in": [read.place for read in usage.read_in(source)],
            }
            for source in usage.sources
        ],
        "reads": [
            {**asdict(read), "sources": [source.name for source in usage.sources_of(read)]}
            for read in usage.reads
        ],
    }


def covered_by(usage: SourceUsage, read: Read) -> str:
    """What describes what a place reads, for people."""
    if names := [source.name for source in usage.sources_of(read)]:
        return ", ".join(names)
    if read.stated:
        return f"{', '.join(read.stated)}, which has no file"
    if read.made_by:
        return f"made by {read.made_by}"
    return "not known statically" if read.kind == "unknown" else "none"


def _source(usage: SourceUsage, source: Source) -> list[str]:
    accepted = usage.exception(source)
    state = usage.state(source)
    return [
        source.name,
        f"{state}, accepted until {accepted.expires}"
        if accepted and not source.official
        else state,
        source.owner or "open",
        source.layer or "open",
        str(source.end_of_life or ""),
        source.contract or "open",
        str(sum(not problem.fixed for problem in source.problems)),
    ]


def _what(read: Read) -> str:
    what = f"{read.how}({read.what})" if read.kind == "unknown" else read.what
    return what if len(what) <= _LONGEST else f"{what[:_LONGEST]} …"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (head, *rows))
