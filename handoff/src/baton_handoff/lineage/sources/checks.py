"""The checks of sources: each yields findings about the sources and the code that reads them.

All of them are advice but one: an invalid source file is a broken contract.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from baton_handoff.core.suggestions import similar_name
from baton_handoff.lineage.sources.odcs import ENDING, FOLDER, Source
from baton_handoff.lineage.sources.reads import Read, shortened
from baton_handoff.lineage.sources.unofficial import unofficial_sign
from baton_handoff.lineage.sources.usage import SourceUsage
from baton_handoff.lineage.sources.workarounds import MARKER, Workaround
from baton_handoff.reporting.findings import Finding

_SETTINGS = "handoff.toml"

Check: TypeAlias = Callable[[SourceUsage], Iterator[Finding]]


def findings(usage: SourceUsage, *, binding: bool) -> list[Finding]:
    """The findings of all checks; a broken contract blocks only if `binding`."""
    return [
        replace(found, check=name, blocks=found.blocks and binding)
        for name, check in CHECKS.items()
        for found in check(usage)
    ]


def valid(usage: SourceUsage) -> Iterator[Finding]:
    """The file of a source follows the standard, and its contract exists."""
    for finding in usage.invalid_files:
        yield replace(finding, side=usage.sides[str(finding.file)])
    for source in usage.sources:
        if source.contract in usage.missing_contracts:
            message = f"the contract `{source.contract}` of `{source.name}` does not exist"
            message += _suggested(source.contract, usage.contracts)
            fix = "name a contract as MODULE:Class, for example `contracts:Flights`"
            yield replace(_about(usage, source, "contract", message, fix), blocks=True)


def listed(usage: SourceUsage) -> Iterator[Finding]:
    """All data that the code reads has a source file."""
    for read in usage.undescribed_reads:
        sign = unofficial_sign(read.data, read.function)
        data = f"{read.kind} `{shortened(read.data)}`" + (f", {sign}" if sign else "")
        fix = "name the source in a comment beside the call: `# source: NAME`"
        if read.kind != "query":
            fix = f"run `uv run handoff source add '{read.data}'`, or {fix}"
        yield _at(usage, read, f"no source describes the {data}", fix)
    names = {source.name for source in usage.sources}
    files = {finding.file for finding in usage.invalid_files}
    for read in usage.reads:
        for name in read.sources:
            if name not in names and not files & {name, f"{FOLDER}/{name}{ENDING}"}:
                yield _at(
                    usage,
                    read,
                    f"the comment names the source `{name}`, which does not exist"
                    f"{_suggested(name, names)}",
                    f"write {FOLDER}/{name}{ENDING} with `uv run handoff source add FILE`, or with"
                    " a first contract: `uv run handoff contract new FILE --target COLUMN`",
                )


def known(usage: SourceUsage) -> Iterator[Finding]:
    """The data that the code reads is known statically, or named by a comment."""
    for read in usage.reads:
        if read.kind == "unknown" and not read.sources:
            yield _at(
                usage,
                read,
                f"not known statically what `{read.function}` reads"
                + (f": `{read.data}`" if read.data else ""),
                "name the source in a comment beside the call: `# source: NAME`",
            )


def owned(usage: SourceUsage) -> Iterator[Finding]:
    """A source has an owner."""
    for source in usage.sources:
        if not source.owner:
            yield _about(
                usage,
                source,
                "owner",
                f"the source `{source.name}` has no owner",
                "ask a domain expert; write the name of the team under `team`, or a member with"
                " the role owner",
            )


def official(usage: SourceUsage) -> Iterator[Finding]:
    """A source is official, accepted by an exception, or planned to be replaced."""
    for source in usage.sources:
        if usage.exception(source):
            continue
        end, unofficial = source.end_of_life, source.official is False
        for applies, topic, problem, fix in (
            (
                source.official is None,
                "official",
                "does not tell whether it is official",
                "set `official` under customProperties: true if its owner offers it for this use",
            ),
            (
                usage.has_ended(source),
                "end_of_life",
                f"is past its end of life since {end}",
                f"read {source.replacement or 'its replacement'}, or agree on another day",
            ),
            (
                unofficial and end is None,
                "end_of_life",
                "is unofficial and has no end of life",
                "set the last day of its use as `endOfLife` under slaProperties",
            ),
            (
                unofficial and not source.replacement,
                "replacement",
                "is unofficial and has no replacement",
                "set `replacement` under customProperties to what will replace it",
            ),
        ):
            if applies:
                yield _about(usage, source, topic, f"the source `{source.name}` {problem}", fix)


def excepted(usage: SourceUsage) -> Iterator[Finding]:
    """An exception for a source names one that exists."""
    names = [source.name for source in usage.sources]
    for gate in dict.fromkeys(one.gate for one in usage.exceptions):
        name = gate.partition("/")[2]
        if name and name not in names:
            message = f"the exception for `{gate}` names no source{_suggested(name, names)}"
            fix = "correct the name in handoff.toml, or remove the exception"
            yield Finding("", message, False, None, _SETTINGS, None, fix)


def accepted(usage: SourceUsage) -> Iterator[Finding]:
    """A source is official, or accepted by an exception: a plan is not enough for a promotion."""
    for source in usage.sources:
        if not source.official and not usage.exception(source):
            yield _about(
                usage,
                source,
                "official",
                f"the source `{source.name}` is not official",
                "have its owner offer it for this use, or record an exception for"
                f" `sources/{source.name}` in handoff.toml",
            )


def complete(usage: SourceUsage) -> Iterator[Finding]:
    """The file of a source has all facts that its users need."""
    for source in usage.sources:
        facts = {
            "layer (customProperties)": source.layer,
            "origin (authoritativeDefinitions)": source.origin,
            "frequency (slaProperties)": source.refresh,
            "license (description.authoritativeDefinitions)": source.licence,
            "contract (schema.quality, engine pandera)": source.contract,
        }
        if missing := [name for name, value in facts.items() if not value]:
            message = f"the source `{source.name}` lacks: {', '.join(missing)}"
            yield _about(usage, source, "", message, "add it to the file")


def workarounds(usage: SourceUsage) -> Iterator[Finding]:
    """A workaround names a problem that its source still has."""
    problems = {(s.name, p.id): (s, p) for s in usage.sources for p in s.problems}
    for one in usage.workarounds:
        name = f"{one.source}#{one.problem}"
        source, problem = problems.get((one.source, one.problem), (None, None))
        if not one.source:
            message, fix = "this workaround names no problem", f"name it: `{MARKER}`"
            yield _at(usage, one, message, fix)
        elif source is None or problem is None:
            known = (f"{one}#{problem}" for one, problem in problems)
            message = f"this works around `{name}`, which is not a known problem"
            message += _suggested(name, known)
            fix = f"add it to knownProblems in {FOLDER}/{one.source}{ENDING}"
            yield _at(usage, one, message, fix)
        elif problem.status == "fixed":
            message = f"this works around `{name}`, which is fixed at the source"
            fixed = _at(usage, one, message, "remove the workaround")
            line = source.lines[f"problem:{problem.id}"]
            evidence = f"{source.file}:{line}: {problem.description}"
            yield replace(fixed, evidence=(*fixed.evidence, evidence))


CHECKS: Mapping[str, Check] = {
    "source-valid": valid,
    "source-listed": listed,
    "source-known": known,
    "source-owned": owned,
    "source-official": official,
    "source-excepted": excepted,
    "source-complete": complete,
    "source-workaround": workarounds,
}


def _suggested(wanted: str, names: Iterable[str]) -> str:
    """The end of a message about an unknown name; empty if no name looks like it."""
    near = similar_name(wanted, names)
    return f"; did you mean `{near}`?" if near else ""


def _about(usage: SourceUsage, source: Source, topic: str, message: str, fix: str) -> Finding:
    """A finding about the file of a source."""
    line = source.lines.get(topic, 1)
    return Finding("", message, False, usage.sides[source.file], source.file, line, fix)


def _at(usage: SourceUsage, place: Read | Workaround, message: str, fix: str) -> Finding:
    """A finding about a place in the code."""
    side = usage.sides[place.file]
    return Finding(*("", message, False, side, place.file, place.line, fix), cell=place.cell)
