"""The report of an experiment: diagnoses with the same cause become one finding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from baton_handoff.config.project import Project
from baton_handoff.config.sides import CONTRACTS, DATA_OWNER, DEPENDENCIES, PLATFORM, SIDES
from baton_handoff.reporting.findings import Finding
from baton_handoff.triage.diagnosis import Cause, Diagnosis

_LISTED = 3
_ADVICE = (Cause.FLAKY, Cause.INHERITED)
"""Causes that no change of this branch can remove, so they never block it."""

_CHANGES = {
    DATA_OWNER: "the change of the data",
    DEPENDENCIES: "the change of dependencies",
    PLATFORM: "the change of the standards",
}


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
    """One finding for diagnoses that have cause and message in common."""
    first, failed = diagnoses[0], diagnoses[0].failed
    side = addressed_side(first, facts)
    return Finding(
        f"triage-{first.cause.replace(' ', '-')}",
        _message(first, facts, side),
        blocks=facts.project.level > 0 and first.cause not in _ADVICE,
        side=side,
        file=failed.file,
        line=failed.line,
        evidence=(
            f"{failed.check}: {failed.message}",
            *_first([diagnosis.failed.item for diagnosis in diagnoses]),
            _experiment(first, facts),
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
    checks = f"the checks of {_listed(facts.components)}"
    match diagnosis.cause:
        case Cause.FLAKY:
            return f"{checks} are flaky; no change broke them"
        case Cause.INHERITED:
            since = f"since commit {facts.since[:12]}" if facts.since else "before this change"
            return f"{checks} already failed {since}"
        case Cause.CONTRACT_CHANGE:
            return f"{addressed}: a contract change broke {checks}, which kept the former contract"
        case Cause.INTERACTION:
            axes = _listed(sorted(diagnosis.axes))
            return f"{axes} have to act together{by}: {checks} pass with each change alone"
        case Cause.CHANGE:
            (axis,) = diagnosis.axes
            if axis == DATA_OWNER and side in (DATA_OWNER, None):
                return f"the source's owner has to act: the data breaks {checks}"
            return f"{addressed}: {_CHANGES.get(axis, 'the change')} broke {checks}"


def _experiment(diagnosis: Diagnosis, facts: Facts) -> str:
    match diagnosis.cause:
        case Cause.FLAKY:
            return "fails, and passes when it runs again on the same files"
        case Cause.INHERITED:
            return f"fails on {facts.base} alone"
        case _:
            folders = sorted({f"{PurePosixPath(path).parent}/" for path in facts.paths})
            axes = _listed(sorted(diagnosis.axes))
            return (
                f"fails on {facts.base} plus the changes under {_listed(_first(folders))}"
                f" (the paths of {axes}); passes without them"
            )


def _first(names: Sequence[str]) -> list[str]:
    """The first names of a list, and how many more there are."""
    more = [f"{len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return [*names[:_LISTED], *more]


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
