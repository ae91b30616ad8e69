"""The report of an experiment: diagnoses with the same cause become one finding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from baton_handoff.config.project import Project
from baton_handoff.config.sides import CONTRACTS, DATA_OWNER, DEPENDENCIES, PLATFORM, SIDES
from baton_handoff.core.git_snapshots import Base
from baton_handoff.reporting.findings import Finding
from baton_handoff.triage.diagnosis import Cause, Diagnosis
from baton_handoff.triage.outcomes import CONTRACT_TESTS, ContractCheck, FailedCheck

_LISTED = 3
_ADVICE = (Cause.FLAKY, Cause.INHERITED, Cause.UNCOVERED)
"""Causes that no change of this branch can remove, so they never block it."""

_CHANGES = {
    DATA_OWNER: "the change of the data",
    DEPENDENCIES: "the change of dependencies",
    PLATFORM: "the change of the standards",
}

_FOLDERS = {
    **{side: f"{side}'s folder" for side in SIDES},
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
        place: The only place that the changes edit, None if there are several.
    """

    project: Project
    base: str
    components: Sequence[str]
    paths: Sequence[str]
    authors: Sequence[str]
    since: str | None
    place: tuple[str, int] | None = None


def finding_of(diagnoses: Sequence[Diagnosis], facts: Facts) -> Finding:
    """One finding for diagnoses that the same change causes."""
    # What stops a check explains more than what fails in it, and a place more than none.
    order = sorted(diagnoses, key=lambda d: (not d.failed.stops, d.failed.line is None))
    first, failed = order[0], order[0].failed
    side = addressed_side(first, facts)
    # One failure of each check, then others with other messages.
    distinct = {(d.failed.check, d.failed.message): d.failed for d in reversed(order)}.values()
    checks = {one.check: one for one in distinct}
    shown = sorted(distinct, key=lambda one: (one != failed, one is not checks[one.check]))[
        :_LISTED
    ]
    more = len(order) - len(shown)
    # A failure shows in a file of the change, or only somewhere else.
    elsewhere = failed.file not in facts.paths and facts.place
    file, line = facts.place if elsewhere and facts.place else (failed.file, failed.line)
    plural = "check fails" if more == 1 else "checks fail"
    return Finding(
        f"triage-{first.cause.replace(' ', '-')}",
        _message(first, facts, side),
        blocks=facts.project.level > 0 and first.cause not in _ADVICE,
        side=side,
        file=file,
        line=line,
        evidence=(
            *(
                f"{one.check}: {one.message}{'' if one.item in one.message else f' ({one.item})'}"
                for one in shown
            ),
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
            message = f"{what} is flaky: it fails now and then"
        case Cause.INHERITED:
            since = f"since commit {facts.since[:12]}" if facts.since else "before this change"
            message = f"Already before this change: {what} failed {since}"
        case Cause.UNCOVERED:
            message = (
                f"{what} fails. Nobody is addressed: on {facts.base} something else fails first, so"
                " nothing shows whether it failed there, too"
            )
        case Cause.CONTRACT_CHANGE:
            message = f"{addressed}: a contract change broke {what}, which kept the former contract"
        case Cause.INTERACTION:
            axes = _listed(sorted(diagnosis.axes))
            message = f"{axes} have to act together{by}: only both changes break {what}"
        case Cause.CHANGE:
            (axis,) = diagnosis.axes
            # If no side is addressed, the part of the project is named instead.
            part = f" in {_FOLDERS[axis]}" if side is None and axis in _FOLDERS else ""
            message = f"{addressed}: {_CHANGES.get(axis, f'the change{part}')} broke {what}"
            if axis == DATA_OWNER and side in (DATA_OWNER, None):
                message = f"the source's owner has to act: the data breaks {what}"
    return message


def _what(failed: FailedCheck) -> str:
    """What fails, as the subject of a sentence."""
    match failed.check:
        case ContractCheck.TYPES:
            return f"the type check of {failed.file}" if failed.file else "the type check"
        case ContractCheck.LAYERS:
            return "the check of the layers"
        case ContractCheck.TESTS:
            return {"": f"the contract test {failed.item}", "*": "all contract tests"}.get(
                failed.stops, f"the contract tests of {failed.item}"
            )


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
    if len(owned) == 1 and len(folders) > 1:
        owned = [owned[0].replace("folder", "folders")]
    whose = f" ({_listed(owned)})" if owned else ""
    under = _listed(_first([f for f in folders if f != "./"] or [*facts.paths]))
    text = f"fails on {facts.base} plus the changes under {under}{whose}; passes without them"
    repeated = max(diagnoses, key=lambda diagnosis: diagnosis.chance)
    return [text, _confidence(repeated)] if repeated.red else [text]


def _confidence(diagnosis: Diagnosis) -> str:
    """How sure it is that the failure is not chance."""
    red, green = diagnosis.red, diagnosis.green
    without = f" and passed in each of {green} without them" if green else ""
    test = "a flaky test" if green else "a new test that fails every second time"
    return (
        f"failed in each of {red} more runs with them{without}: {test} does so in at most"
        f" {diagnosis.chance:.0%} of all cases"
    )


def _first(names: Sequence[str]) -> list[str]:
    """The first names of a list, and how many more there are."""
    more = [f"{len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return [*names[:_LISTED], *more]


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def compared_text(base: Base) -> str:
    """The base of the comparison, and what was not looked at."""
    only = ": only uncommitted changes are triaged" if base.is_last_commit else ""
    return (
        f"Compared with {base}{only}. Types, layers and {CONTRACT_TESTS} were run; the other tests"
        " were not: `uv run poe test` runs them."
    )
