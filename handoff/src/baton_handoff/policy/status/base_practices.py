"""The practices and statements of the base policy: the stricter of a change and its base."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TypeVar

from baton_handoff.config.project import Project
from baton_handoff.config.settings import PolicyException
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.checks import CHECKS
from baton_handoff.policy.practices.practice import STATEMENT, Practice, Statement
from baton_handoff.policy.practices.registry import (
    Registry,
    check_durations,
    practices_of,
    registry_of,
    shipped,
)

_Dated = TypeVar("_Dated", PolicyException, Statement)


def binding_registry(project: Project, today: date | None = None) -> Registry:
    """The registry that judges a project, after a check that nothing is stated for too long.

    Raises:
        SettingsError: handoff.toml has practices that can't be used, or states or accepts something
            for longer than a year.
    """
    day = today or datetime.now(UTC).astimezone().date()
    check_durations(project.head or project, registry_of(project), day)
    return merged_registry(project)


def merged_registry(project: Project) -> Registry:
    """The registry of a project, merged with that of its base if it has one.

    Of each practice the stricter tiers count, and it is enforced if either enforces it. If the
    change drops a team's own practice or replaces its check, that of the base counts. A statement
    counts if both state it, until the earlier of both days: it replaces evidence, so a change must
    not bring its own.

    Raises:
        SettingsError: handoff.toml has practices that can't be used.
    """
    head = registry_of(project)
    base = _base_registry(project)
    if base is None:
        # A base that can't be read has stated nothing.
        return replace(head, statements=()) if project.base else head
    return _merged(base, head)


def _merged(base: Registry, head: Registry) -> Registry:
    """The stricter of two registries."""
    before = {practice.name: practice for practice in base.practices}
    after = {practice.name: practice for practice in head.practices}
    both = [
        before[name].stricter(after[name])
        if name in before and name in after
        else before.get(name) or after[name]
        for name in {**after, **before}
    ]
    sections = list(dict.fromkeys(p.section for p in (*head.practices, *base.practices)))
    return Registry(
        sorted(both, key=lambda practice: sections.index(practice.section)),
        tuple(in_both(base.statements, head.statements)),
        frozenset(
            name
            for name, practice in before.items()
            if name not in after or after[name].check != practice.check
        ),
    )


def _base_registry(project: Project) -> Registry | None:
    """The registry of the base; None if there is no base, or if this version can't read it.

    A promotion has two bases, if a user names one: the base then has a base of its own.
    """
    if project.base is None:
        return None
    for standard in (_base_standard(project.base), None):
        try:
            registry = registry_of(project.base, standard)
        except (OSError, HandoffError):
            continue
        further = _base_registry(project.base)
        return registry if further is None else _merged(further, registry)
    return None


def _base_standard(base: Project) -> list[Practice] | None:
    """The practices of the base's own standards, as far as the checks of this engine know them."""
    ours = {practice.name: practice for practice in shipped()}
    try:
        stated = practices_of(base.standards)
    except (HandoffError, LookupError, TypeError, ValueError, AttributeError):
        # Another version of the engine wrote them in another form.
        return None
    known = {*CHECKS, STATEMENT}
    return [
        practice
        if practice.check in known
        else practice.model_copy(update={"check": ours[practice.name].check})
        for practice in stated
        if practice.check in known or practice.name in ours
    ]


def in_both(base: Sequence[_Dated], head: Sequence[_Dated]) -> Iterator[_Dated]:
    """The exceptions or statements that both state, until the earlier of both days."""
    for one in head:
        days = [other.expires for other in base if other.subject == one.subject]
        if days:
            yield one.model_copy(update={"expires": min(max(days), one.expires)})
