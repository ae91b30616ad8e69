"""The checks of sources: each a function of the usage of sources, which yields findings.

They are advice, but for one: a source's file that does not hold is a broken contract.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from baton_handoff.lineage.sources.odcs import Source
from baton_handoff.lineage.sources.reads import Read
from baton_handoff.lineage.sources.unofficial import unofficial
from baton_handoff.lineage.sources.usage import SourceUsage
from baton_handoff.lineage.sources.workarounds import MARKER, Workaround
from baton_handoff.reporting.findings import Finding

Check: TypeAlias = Callable[[SourceUsage], Iterator[Finding]]


def findings(usage: SourceUsage, *, binding: bool) -> list[Finding]:
    """What every check finds.

    Args:
        usage: The sources and the code that reads them.
        binding: Whether a broken contract blocks.
    """
    return [
        replace(found, check=name, blocks=found.blocks and binding)
        for name, check in CHECKS.items()
        for found in check(usage)
    ]


def valid(usage: SourceUsage) -> Iterator[Finding]:
    """A source's file holds: it is one by the standard, and its contract exists."""
    for flaw in usage.invalid_files:
        yield Finding(
            "",
            f"this is no file of a source: {flaw.says}",
            blocks=True,
            side=usage.sides[flaw.file],
            file=flaw.file,
            line=flaw.line,
            fix="write it as the Open Data Contract Standard 3.2 says, https://bitol.io",
        )
    for source in usage.sources:
        if source.contract in usage.missing:
            missing = _of(
                usage,
                source,
                "contract",
                f"there is no contract `{source.contract}`, which `{source.name}` must meet",
                "name one as MODULE:Class, `contracts:Flights` for example",
            )
            yield replace(missing, blocks=True)


def listed(usage: SourceUsage) -> Iterator[Finding]:
    """Whatever the code reads has a source's file."""
    for read in usage.found:
        looks = unofficial(read.what, read.how)
        what = f"{read.kind} `{_short(read.what)}`" + (f", {looks}" if looks else "")
        yield _at(
            usage,
            read,
            f"no source describes the {what}",
            "say beside the call what it asks: `# source: NAME`"
            if read.kind == "query"
            else f"`uv run handoff source add '{read.what}'`, or say `# source: NAME` beside the"
            " call",
        )
    names = {source.name for source in usage.sources} | {flaw.file for flaw in usage.invalid_files}
    for read in usage.reads:
        for name in read.stated:
            if name not in names and f"data/sources/{name}.odcs.yaml" not in names:
                yield _at(
                    usage,
                    read,
                    f"there is no source `{name}`, which this is said to read",
                    f"write data/sources/{name}.odcs.yaml: `uv run handoff source add FILE`, or,"
                    " with a first contract, `uv run handoff contract new FILE --target COLUMN`",
                )


def known(usage: SourceUsage) -> Iterator[Finding]:
    """What the code reads can be told without running it, or a comment says it."""
    for read in usage.reads:
        if read.kind == "unknown" and not read.stated:
            what = f": `{read.what}`" if read.what else ""
            yield _at(
                usage,
                read,
                f"what `{read.how}` reads is not known statically{what}",
                "say it beside the call: `# source: NAME`",
            )


def owned(usage: SourceUsage) -> Iterator[Finding]:
    """Somebody answers for a source."""
    for source in usage.sources:
        if not source.owner:
            yield _of(
                usage,
                source,
                "owner",
                f"nobody is named who answers for the source `{source.name}`",
                "ask a domain expert, and name the team, or its member with the role owner,"
                " under `team`",
            )


def official(usage: SourceUsage) -> Iterator[Finding]:
    """A source that nobody offers for this use is on its way out: until when, and what instead.

    An exception says as much.
    """
    for source in usage.sources:
        if usage.exception(source):
            continue
        end = source.end_of_life
        if source.official is None:
            yield _of(
                usage,
                source,
                "official",
                f"whether the source `{source.name}` is official is open",
                "say true if its owner offers it for this use, under customProperties",
            )
        if usage.ended(source):
            yield _of(
                usage,
                source,
                "end of life",
                f"the source `{source.name}` has been past its end of life since {end}",
                f"read {source.replacement or 'what replaces it'}, or agree on another day",
            )
        if source.official is False and end is None:
            yield _of(
                usage,
                source,
                "end of life",
                f"the source `{source.name}` is unofficial, and has no end of life",
                "say until when it is used: endOfLife, under slaProperties",
            )
        if source.official is False and not source.replacement:
            yield _of(
                usage,
                source,
                "replacement",
                f"the source `{source.name}` is unofficial, and nothing is planned in its place",
                "say what replaces it: replacement, under customProperties",
            )


def offered(usage: SourceUsage) -> Iterator[Finding]:
    """A promotion asks for more than a plan: official, or accepted by an exception."""
    for source in usage.sources:
        if not source.official and not usage.exception(source):
            yield _of(
                usage,
                source,
                "official",
                f"the source `{source.name}` is not official",
                "have its owner offer it for this use, or record an exception for"
                f" `sources/{source.name}` in handoff.toml",
            )


def complete(usage: SourceUsage) -> Iterator[Finding]:
    """What else has to be known of a source is stated."""
    for source in usage.sources:
        said = {
            "layer (customProperties)": source.layer,
            "origin (authoritativeDefinitions)": source.origin,
            "frequency (slaProperties)": source.refresh,
            "license (description.authoritativeDefinitions)": source.licence,
            "contract (schema.quality, engine pandera)": source.contract,
        }
        if still := [name for name, value in said.items() if not value]:
            yield _of(
                usage,
                source,
                "",
                f"the source `{source.name}` leaves open: {', '.join(still)}",
                "say it there",
            )


def workarounds(usage: SourceUsage) -> Iterator[Finding]:
    """A workaround names a problem that a source still has."""
    problems = {(s.name, p.id): (s, p) for s in usage.sources for p in s.problems}
    for one in usage.workarounds:
        named = f"{one.source}#{one.problem}"
        if not one.source:
            yield _at(
                usage,
                one,
                "this workaround does not say what for",
                f"name the problem of a source: `{MARKER}`",
            )
        elif (one.source, one.problem) not in problems:
            yield _at(
                usage,
                one,
                f"no source knows of the problem `{named}` that this works around",
                f"add it to knownProblems in data/sources/{one.source}.odcs.yaml",
            )
        elif problems[one.source, one.problem][1].fixed:
            source, problem = problems[one.source, one.problem]
            mended = _at(
                usage,
                one,
                f"this works around `{named}`, which is fixed at the source",
                "take the workaround away",
            )
            said = f"{source.file}:{problem.line}: {problem.says}"
            yield replace(mended, evidence=(*mended.evidence, said))


CHECKS: Mapping[str, Check] = {
    "source-valid": valid,
    "source-listed": listed,
    "source-known": known,
    "source-owned": owned,
    "source-official": official,
    "source-complete": complete,
    "source-workaround": workarounds,
}


def _of(usage: SourceUsage, source: Source, where: str, message: str, fix: str) -> Finding:
    """A finding about a source's file: it is for who uses the source to get it mended."""
    line = source.lines.get(where, 1)
    return Finding("", message, False, usage.sides[source.file], source.file, line, fix)


def _at(usage: SourceUsage, place: Read | Workaround, message: str, fix: str) -> Finding:
    """A finding about a place in the code."""
    side = usage.sides[place.file]
    evidence = (place.cell,) if place.cell else ()
    return Finding("", message, False, side, place.file, place.line, fix, evidence)


def _short(what: str) -> str:
    return what if len(what) <= 60 else f"{what[:60]} …"
