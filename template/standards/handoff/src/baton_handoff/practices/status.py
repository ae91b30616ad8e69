"""Where a project stands: every practice, held against the evidence that there is."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

from baton_handoff.practices.checks import CHECKS
from baton_handoff.practices.checks.look import Look, Seen
from baton_handoff.practices.evidence import Record
from baton_handoff.practices.foreign import look_for, unadopted
from baton_handoff.practices.foreign.repository import Repository, without_collecting
from baton_handoff.practices.own import own_check
from baton_handoff.practices.practice import Practice
from baton_handoff.practices.registry import ROLES, STATEMENT, Registry, registry_of
from baton_handoff.practices.standing import Outcome, Standing, State
from baton_handoff.project import Project
from baton_handoff.sides import SIDES


@without_collecting()
def standing_of(project: Project, level: int | None = None, today: date | None = None) -> Standing:
    """Where a project stands, by the evidence that lies on this machine.

    Args:
        project: The project.
        level: The level to look at; by default the project's own.
        today: The day it is.

    Raises:
        HandoffError: handoff.toml, or a file that a check reads, can't be used.
    """
    at = project.level if level is None else level
    day = today or datetime.now(UTC).astimezone().date()
    registry = registry_of(project)
    look = Look(project, Record(project), day, os.environ)
    repository = None if project.adopted else Repository(look)
    outcomes = [
        outcome
        for practice in registry.practices
        for outcome in _outcomes(practice, registry, look, at, repository)
    ]
    known = unadopted(repository) if repository else None
    return Standing(project.name or project.package, at, outcomes, known)


def _outcomes(
    practice: Practice,
    registry: Registry,
    look: Look,
    level: int,
    repository: Repository | None = None,
) -> Iterator[Outcome]:
    """What came of a practice for each side of which it is asked at some level."""
    asked = [s for s in SIDES if any(practice.tier(s, at) != "not-needed" for at in (0, 1, 2))]
    seen = _checked(practice, look, repository)
    accepted = [
        one
        for one in look.project.exceptions
        if one.practice == practice.name and one.counts(look.today)
    ]
    for side in asked:
        said = _for_side(side, seen) if seen else _stated(practice, side, registry, look)
        open_ = said.state in (State.NOT_MET, State.NOT_SHOWN)
        fix = said.shown_by or practice.fix
        yield Outcome(
            practice=practice,
            side=side,
            tier=practice.tier(side, level),
            state=said.state,
            says=said.says,
            findings=tuple(
                replace(finding, check=practice.name, side=side, fix=finding.fix or fix)
                for finding in said.findings
                if finding.side in (side, None)
            ),
            fix=fix if open_ else "",
            accepted=accepted[0] if accepted and open_ else None,
        )


def _checked(practice: Practice, look: Look, repository: Repository | None) -> Seen | None:
    """What is seen of a practice; None where only a person of the project can say it."""
    if repository:
        return look_for(practice, repository)
    if practice.check == STATEMENT:
        return None
    check = CHECKS.get(practice.check)
    return check(look) if check else own_check(practice, look)


def _for_side(side: str, seen: Seen) -> Seen:
    """What a check has seen for one side: what is the other one's alone asks nothing of it."""
    others = seen.findings and all(f.side not in (side, None) for f in seen.findings)
    return Seen(State.MET, "It is kept; the other side has to act.") if others else seen


def _stated(practice: Practice, side: str, registry: Registry, look: Look) -> Seen:
    """What a person of a side says of a practice, if it still counts."""
    said = [one for one in registry.statements if (one.practice, one.side) == (practice.name, side)]
    for one in said:
        if one.counts(look.today):
            return Seen(State.STATED, f"{one.says} ({one.by}, {one.day})")
    role = next(role for role, of in ROLES.items() if of == side)
    if said:
        says = f"What the {role} stated counted until {max(one.expires for one in said)}."
    else:
        says = f"No {role} has stated it."
    return Seen(State.NOT_SHOWN, says)
