"""The report of an experiment: diagnoses with the same cause become one finding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from baton_handoff.config.project import Project
from baton_handoff.config.sides import CONTRACTS, DATA_OWNER, DEPENDENCIES, PLATFORM, SIDES
from baton_handoff.reporting.findings import Finding
from baton_handoff.triage.diagnosis import Cause, ContractCheck, Diagnosis, FailedCheck

_LISTED = 3
_ADVICE = (Cause.FLAKY, Cause.INHERITED, Cause.UNCOVERED)
"""Causes that no change of this branch can remove, so they never block it."""

_CHANGES = {
    DATA_OWNER: "the change of the data",
    DEPENDENCIES: "the change of dependencies",
    PLATFORM: "the change of the standards",
}

_FOLDERS = {
    **{side: f"{side}'s folders" for side in SIDES},
    CONTRACTS: "the contracts",
    DATA_OWNER: "the data",
    DEPENDENCIES: "the dependencies",
    PLATFORM: "the standards",
}
"""What the paths of an axis are called; a path of another axis is no one's."""


@dataclass(frozen=True)
class Facts:
    """What the report needs beside the diagnoses.

    Attributes:
        project: The project as the base policy judges it: a change can neither shift
            responsibilities nor lower the level; at level 0 nothing blocks.
        base: The base as the user names it, and its commit.
        components: The axes that answer for what fails.
        paths: The paths whose changes make it fail, relative to the project.
        authors: The authors of these changes.
        since: The commit that an inherited failure began with, None if it is not known.
    """

    project: Project
    base: str
    components: Sequence[str]
    paths: Sequence[str]
    authors: Sequence[str]
    since: str | None


def finding_of(diagnoses: Sequence[Diagnosis], facts: Facts) -> Finding:
    """One finding for diagnoses that the same change causes."""
    # What stops a check explains more than what fails in it, and a place more than none.
    order = sorted(diagnoses, key=lambda d: (not d.failed.stops, d.failed.line is None))
    first, failed = order[0], order[0].failed
    side = addressed_side(first, facts)
    # One failure of each check, then the others.
    shown = [*{d.failed.check: d.failed for d in reversed(order)}.values()]
    shown.sort(key=lambda one: one is not failed)
    shown += [diagnosis.failed for diagnosis in order if diagnosis.failed not in shown]
    more = len(shown) - _LISTED
    plural = "check fails" if more == 1 else "checks fail"
    return Finding(
        f"triage-{first.cause.replace(' ', '-')}",
        _message(first, facts, side),
        blocks=facts.project.level > 0 and first.cause not in _ADVICE,
        side=side,
        file=failed.file,
        line=failed.line,
        evidence=(
            *map(_failure, shown[:_LISTED]),
            *([f"and {more} more {plural} for the same cause"] if more > 0 else []),
            *_experiment(order, facts),
        ),
        fix=f"repeat it: {failed.command}",
    )


def addressed_side(diagnosis: Diagnosis, facts: Facts) -> str | None:
    """The side that has to act: that of the authors if it is known, else the answerable one.

    None if that is no single side, or if one team is both.
    """
    if facts.project.cross_functional:
        return None
    people = {address: side for side in SIDES for address in facts.project.people.get(side, ())}
    sides = {people.get(author) for author in facts.authors}
    if len(sides) == 1 and None not in sides:
        return sides.pop()
    # A test that both sides share answers to the side whose own tests fail too.
    components = [axis for axis in facts.components if axis != CONTRACTS]
    known = components if diagnosis.cause in _ADVICE else list(diagnosis.axes)
    return known[0] if len(known) == 1 and known[0] in (*SIDES, DATA_OWNER, PLATFORM) else None


def _message(diagnosis: Diagnosis, facts: Facts, side: str | None) -> str:
    by = f" ({', '.join(facts.authors)})" if facts.authors else ""
    addressed = f"{side or 'the author'}{by} has to act"
    what = _what(diagnosis.failed)
    match diagnosis.cause:
        case Cause.FLAKY:
            return f"{what} is flaky; no change broke it"
        case Cause.INHERITED:
            since = f"since commit {facts.since[:12]}" if facts.since else "before this change"
            return f"{what} already failed {since}"
        case Cause.UNCOVERED:
            return (
                f"{what} fails, but on {facts.base} another failure hides whether it did there,"
                " too: nobody is addressed"
            )
        case Cause.CONTRACT_CHANGE:
            return f"{addressed}: a contract change broke {what}, which kept the former contract"
        case Cause.INTERACTION:
            axes = _listed(sorted(diagnosis.axes))
            return f"{axes} have to act together{by}: {what} passes with each change alone"
        case Cause.CHANGE:
            (axis,) = diagnosis.axes
            if axis == DATA_OWNER and side in (DATA_OWNER, None):
                return f"the source's owner has to act: the data breaks {what}"
            return f"{addressed}: {_CHANGES.get(axis, 'the change')} broke {what}"


def _what(failed: FailedCheck) -> str:
    """What fails, as the subject of a sentence."""
    match failed.check:
        case ContractCheck.TYPES:
            return f"the type check of {failed.file}" if failed.file else "the type check"
        case ContractCheck.LAYERS:
            return "the check of the layers"
        case ContractCheck.TESTS:
            return f"the contract test {failed.item}" if "::" in failed.item else failed.item


def _failure(failed: FailedCheck) -> str:
    item = "" if failed.item in failed.message else f" ({failed.item})"
    return f"{failed.check}: {failed.message}{item}"


def _experiment(diagnoses: Sequence[Diagnosis], facts: Facts) -> list[str]:
    """What the experiment has shown, and how sure it is."""
    first = diagnoses[0]
    match first.cause:
        case Cause.FLAKY:
            return [f"failed in {first.red} of {first.runs} runs on the same files"]
        case Cause.INHERITED:
            return [f"fails on {facts.base} alone"]
        case Cause.UNCOVERED:
            return []
    folders = list(dict.fromkeys(f"{PurePosixPath(path).parent}/" for path in facts.paths))
    owned = [_FOLDERS[axis] for axis in sorted(first.axes) if axis in _FOLDERS]
    whose = f" ({_listed(owned)})" if owned else ""
    under = _listed(_first([f for f in folders if f != "./"] or [*facts.paths]))
    text = f"fails on {facts.base} plus the changes under {under}{whose}; passes without them"
    repeated = max(diagnoses, key=lambda diagnosis: diagnosis.chance)
    if not repeated.red:
        return [text]
    return [
        text,
        f"failed in {repeated.red} of {repeated.red} more runs with them, passed in"
        f" {repeated.green} of {repeated.green} without: a flaky test does so in at most"
        f" {repeated.chance:.0%} of all cases",
    ]


def _first(names: Sequence[str]) -> list[str]:
    """The first names of a list, and how many more there are."""
    more = [f"{len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return [*names[:_LISTED], *more]


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
