"""Practices and statements of a change: the stricter of what its base and it itself say."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TypeVar

from baton_handoff.config.project import Project
from baton_handoff.config.settings import PolicyException
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.practices.practice import Practice
from baton_handoff.policy.practices.registry import (
    STATEMENT,
    Registry,
    Statement,
    for_a_year,
    practices_of,
    registry_of,
    shipped,
)

_Dated = TypeVar("_Dated", PolicyException, Statement)


def binding_registry(project: Project, today: date | None = None) -> Registry:
    """The practices and statements that judge a project, by its base too where it has one.

    Of a practice, one of the standards too, the stricter tiers count, and it is enforced where
    either says so. A team's own practice that the change drops, or checks in another way, is still
    there as the base has it. A statement counts where both have it, until the earlier of both days:
    it is a person's word that the gate takes for evidence, and whoever needs it must not be able to
    bring it along.

    Args:
        project: The project.
        today: The day it is.

    Raises:
        HandoffError: handoff.toml says something of practices that can't be used, or says it for
            longer than a year.
    """
    head = registry_of(project)
    for_a_year(project, today or datetime.now(UTC).astimezone().date())
    base = _of_base(project)
    if base is None:
        return head
    mine = {practice.name: practice for practice in head.practices}
    was = {practice.name: practice for practice in base.practices}
    both = [p for name in {**mine, **was} for p in _both(was.get(name), mine.get(name))]
    sections = list(dict.fromkeys(p.section for p in (*head.practices, *base.practices)))
    return Registry(
        sorted(both, key=lambda practice: sections.index(practice.section)),
        tuple(by_both(base.statements, head.statements, _about)),
        frozenset(name for name in was if name not in mine or mine[name].check != was[name].check),
    )


def loosened_practices(project: Project) -> Iterator[str]:
    """What a change makes easier about practices, each in some words.

    Raises:
        HandoffError: handoff.toml says something of practices that can't be used.
    """
    base = _of_base(project)
    if base is None:
        return
    head = registry_of(project)
    mine = {practice.name: practice for practice in head.practices}
    for practice in binding_registry(project).practices:
        yield from _less(practice, mine.get(practice.name))
    for one, how in easier(base.statements, head.statements, _about):
        yield f"A statement about {one.practice} {how} ({one.by})"


def _of_base(project: Project) -> Registry | None:
    """What the base says; None where there is none, or this version of us can't read it."""
    base = project.base
    if base is None:
        return None
    for standard in (_standard(base), None):
        try:
            return registry_of(base, standard)
        except (OSError, HandoffError):
            continue
    return None


def _standard(base: Project) -> list[Practice] | None:
    """The practices of the base's own standards, as far as what is at work here can judge them."""
    ours = {practice.name: practice for practice in shipped()}
    try:
        stated = practices_of(base.standards)
    except (HandoffError, LookupError, TypeError, ValueError, AttributeError):
        # Of another form: written by another version.
        return None
    judged = {*CHECKS, STATEMENT}
    known = (
        practice if practice.check in judged else replace(practice, check=ours[practice.name].check)
        for practice in stated
        if practice.check in judged or practice.name in ours
    )
    return list(known)


def _both(was: Practice | None, now: Practice | None) -> Iterator[Practice]:
    if was and now:
        yield was.stricter(now)
    else:
        yield from filter(None, (was, now))


def _less(asked: Practice, now: Practice | None) -> Iterator[str]:
    """What a change takes away from what is asked."""
    name = asked.name
    if now is None:
        yield f"The practice {name} is gone"
        return
    if now.check != asked.check:
        yield f"The practice {name} is checked by `{now.check}`, no longer by `{asked.check}`"
    if now.stage != asked.stage:
        yield f"The practice {name} is asked for at the {now.stage} first, not at the {asked.stage}"
    if asked.enforced and not now.enforced:
        yield f"The practice {name} is no longer in [enforce]"
    if now.baseline and not asked.baseline:
        yield f"The practice {name} lets a baseline record what it finds"
    for side in SIDES:
        tiers = [(asked.tier(side, level), now.tier(side, level)) for level in (0, 1, 2)]
        for before, after in dict.fromkeys(pair for pair in tiers if pair[0] != pair[1]):
            yield f"The practice {name} goes from {before} to {after} for {side}"


def by_both(
    base: Sequence[_Dated], head: Sequence[_Dated], about: Callable[[_Dated], object]
) -> Iterator[_Dated]:
    """What both state, until the earlier of both days.

    Args:
        base: What the base states.
        head: What the change states.
        about: What makes two of them the same.
    """
    for one in head:
        until = _last_day(one, base, about)
        if until is not None:
            last_day = min(until, one.expires)
            if isinstance(one, PolicyException):
                yield one.model_copy(update={"expires": last_day})
            else:
                yield replace(one, expires=last_day)


def easier(
    base: Sequence[_Dated], head: Sequence[_Dated], about: Callable[[_Dated], object]
) -> Iterator[tuple[_Dated, str]]:
    """What the change states that the base does not, or not for so long, and which of the two.

    Args:
        base: What the base states.
        head: What the change states.
        about: What makes two of them the same.
    """
    for one in head:
        until = _last_day(one, base, about)
        if until is None:
            yield one, "is new"
        elif until < one.expires:
            yield one, "lasts longer"


def _last_day(
    one: _Dated, stated: Sequence[_Dated], about: Callable[[_Dated], object]
) -> date | None:
    """The last day on which others state the same, None where they do not."""
    return max((other.expires for other in stated if about(other) == about(one)), default=None)


def _about(statement: Statement) -> tuple[str, str]:
    """What a statement is about, and for which role."""
    return statement.practice, statement.by
