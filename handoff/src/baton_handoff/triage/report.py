"""What to tell whom: diagnoses with the same cause become one finding."""

from collections.abc import Sequence
from dataclasses import dataclass

from baton_handoff.config.project import Project
from baton_handoff.config.sides import CONTRACTS, DATA_OWNER, DEPENDENCIES, PLATFORM, SIDES
from baton_handoff.reporting.findings import Finding
from baton_handoff.triage.diagnosis import Axes, Cause, Diagnosis

_SHOWN = 3
_QUIET = (Cause.FLAKY, Cause.INHERITED)


@dataclass(frozen=True)
class Facts:
    """What the report needs beside the diagnoses.

    Attributes:
        project: The project as base and change state it: a change can't shift who answers for
            what, nor lower the level; at 0 nothing blocks.
        base: The base's commit.
        components: The axes that answer for what is red.
        authors: Who made the changes that make it red.
        since: The commit that an inherited break began with, None if it is not known.
    """

    project: Project
    base: str
    components: Sequence[str]
    authors: Sequence[str]
    since: str | None


def finding_of(diagnoses: Sequence[Diagnosis], facts: Facts) -> Finding:
    """One finding for diagnoses that have cause and message in common."""
    first, red = diagnoses[0], diagnoses[0].red
    side = addressed(first, facts)
    items = [diagnosis.red.item for diagnosis in diagnoses]
    more = [f"and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return Finding(
        f"triage-{first.cause.replace(' ', '-')}",
        _said(first, facts, side),
        blocks=facts.project.level > 0 and first.cause not in _QUIET,
        side=side,
        file=red.file,
        line=red.line,
        evidence=(
            f"{red.check}: {red.message}",
            *items[:_SHOWN],
            *more,
            _trial(first, facts),
        ),
        fix=f"see it again: {red.again}",
    )


def addressed(diagnosis: Diagnosis, facts: Facts) -> str | None:
    """The side that is asked: the authors' where they are known, else the answerable one.

    None where that is no single side, or where both are one team.
    """
    people = {address: side for side in SIDES for address in facts.project.people.get(side, ())}
    homes = {people.get(author) for author in facts.authors}
    if facts.project.cross_functional:
        return None
    if len(homes) == 1 and None not in homes:
        return homes.pop()
    # A test that both sides share is red with the one whose own tests are.
    components = [axis for axis in facts.components if axis != CONTRACTS]
    known = components if diagnosis.cause in _QUIET else list(diagnosis.axes)
    return known[0] if len(known) == 1 and known[0] in (*SIDES, DATA_OWNER, PLATFORM) else None


def _said(diagnosis: Diagnosis, facts: Facts, side: str | None) -> str:
    by = f" ({', '.join(facts.authors)})" if facts.authors else ""
    who = f"{side or 'the author'}{by} has to act"
    checks = f"the checks of {_listed(facts.components)}"
    match diagnosis.cause:
        case Cause.FLAKY:
            return f"{checks} are flaky; no change broke them"
        case Cause.INHERITED:
            since = f"since commit {facts.since[:12]}" if facts.since else "before this change"
            return f"{checks} were red {since}"
        case Cause.CONTRACT_CHANGE:
            return f"{who}: a contract change broke {checks}, without their fault"
        case Cause.INTERACTION:
            axes = _listed(diagnosis.axes)
            return f"{axes} have to act together{by}: each change alone is innocent"
        case Cause.CHANGE:
            (axis,) = diagnosis.axes
            what = _CHANGED.get(axis, "the change")
            return (
                f"the source's owner has to act: the data breaks {checks}"
                if axis == DATA_OWNER and side in (DATA_OWNER, None)
                else f"{who}: {what} broke {checks}"
            )


_CHANGED = {
    DATA_OWNER: "the change of the data",
    DEPENDENCIES: "the change of dependencies",
    PLATFORM: "the change of the standards",
}


def _trial(diagnosis: Diagnosis, facts: Facts) -> str:
    match diagnosis.cause:
        case Cause.FLAKY:
            return "tried: red, then green, on the same files"
        case Cause.INHERITED:
            return f"tried: red on the base {facts.base[:12]} alone"
        case _:
            axes = _listed(diagnosis.axes)
            return f"tried: red on the base with the change of {axes}, green without"


def _listed(axes: Axes | Sequence[str]) -> str:
    *others, last = sorted(axes)
    return f"{', '.join(others)} and {last}" if others else last
