"""Sources and the code that reads them, as text for the terminal and as data for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from baton_handoff.lineage.sources.odcs import Source
from baton_handoff.lineage.sources.reads import Read, shortened
from baton_handoff.lineage.sources.usage import SourceUsage
from baton_handoff.reporting.findings import cell_place


def as_text(usage: SourceUsage) -> str:
    """A table of the sources, a table of the places that read, and the invalid files."""
    parts = []
    if usage.sources:
        head = ["SOURCE", "STATE", "OWNER", "LAYER", "UNTIL", "CONTRACT", "OPEN PROBLEMS"]
        parts.append(_table(head, [_source_row(usage, source) for source in usage.sources]))
    if usage.reads:
        rows = [
            [
                read.place,
                shortened(f"{read.function}({read.data})" if read.kind == "unknown" else read.data),
                _origin(usage, read),
            ]
            for read in usage.reads
        ]
        parts.append(_table(["READ IN", "READS", "SOURCE"], rows))
    parts += [f"{one.file}:{one.line}: {one.message}" for one in usage.invalid_files]
    return "\n\n".join(parts)


def as_data(usage: SourceUsage) -> dict[str, Any]:
    """The same as data for JSON."""
    return {
        "sources": [
            {
                **{k: v for k, v in asdict(source).items() if k not in ("lines", "end_of_life")},
                "problems": [
                    {
                        "id": problem.id,
                        "says": problem.description,
                        "fixed": problem.status == "fixed",
                        "line": source.lines[f"problem:{problem.id}"],
                    }
                    for problem in source.problems
                ],
                "end_of_life": source.end_of_life and source.end_of_life.isoformat(),
                "state": usage.state(source),
                "accepted": exception.reason if (exception := usage.exception(source)) else None,
                "read_in": [read.place for read in usage.reads_of(source)],
            }
            for source in usage.sources
        ],
        "reads": [
            {
                "file": read.file,
                "line": None if read.cell else read.line,
                "cell": cell_place(read.line, read.cell) if read.cell else "",
                "how": read.function,
                "kind": read.kind,
                "what": read.data,
                "stated": read.sources,
                "made_by": read.made_by,
                "sources": [source.name for source in usage.sources_of(read)],
            }
            for read in usage.reads
        ],
    }


def _origin(usage: SourceUsage, read: Read) -> str:
    if names := [source.name for source in usage.sources_of(read)]:
        return ", ".join(names)
    if read.sources:
        return f"{', '.join(read.sources)} (no file)"
    if read.made_by:
        return f"made by {read.made_by}"
    return "not known statically" if read.kind == "unknown" else "none"


def _source_row(usage: SourceUsage, source: Source) -> list[str]:
    exception = None if source.official else usage.exception(source)
    return [
        source.name,
        usage.state(source) + (f", accepted until {exception.expires}" if exception else ""),
        source.owner or "open",
        source.layer or "open",
        str(source.end_of_life or ""),
        source.contract or "open",
        str(sum(problem.status == "open" for problem in source.problems)),
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (head, *rows))
