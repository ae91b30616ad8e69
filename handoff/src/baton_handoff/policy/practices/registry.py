"""The registry: the practices of the standards and of a team, and the statements of its people."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from baton_handoff.config.baseline import BASELINE_FILE
from baton_handoff.config.project import Project
from baton_handoff.config.validation import StrictModel, Text, invalid, validated
from baton_handoff.core.suggestions import hint
from baton_handoff.core.toml_files import read_toml
from baton_handoff.policy.practices import baseline
from baton_handoff.policy.practices.practice import (
    OWN_SECTION,
    TIERS,
    Enforce,
    OwnPractice,
    Practice,
    Statement,
    TightenedPractice,
)

SHIPPED = Path(__file__).with_name("practices.toml")

_YEAR = timedelta(days=366)
"""The longest time for statements and exceptions; then they have to be renewed."""


class PracticesToml(StrictModel):
    """The content of practices.toml."""

    sections: list[Text]
    practices: list[Practice]


@dataclass(frozen=True)
class Registry:
    """Every practice and every statement of a project.

    Attributes:
        practices: The practices, in the order of the sections.
        statements: The statements.
        of_base: The names of a team's own practices whose check only the base of a change states.
    """

    practices: Sequence[Practice]
    statements: Sequence[Statement]
    of_base: frozenset[str] = frozenset()


@cache
def shipped() -> tuple[Practice, ...]:
    """The practices of the standards.

    Raises:
        SettingsError: practices.toml can't be used.
    """
    return practices_of(read_toml(SHIPPED))


def practices_of(data: Mapping[str, Any]) -> tuple[Practice, ...]:
    """The practices of the content of a practices.toml.

    Raises:
        SettingsError: It can't be used.
        ValueError: The section of a practice is unknown.
    """
    content = validated(PracticesToml, data, SHIPPED)
    return tuple(sorted(content.practices, key=lambda one: content.sections.index(one.section)))


def registry_of(project: Project, standard: Sequence[Practice] | None = None) -> Registry:
    """The practices and statements of a project, by default with the standards of this engine.

    Raises:
        SettingsError: handoff.toml states something about practices that can't be used.
    """
    file, tables = project.root / "handoff.toml", project.practices
    practices = {practice.name: practice for practice in standard or shipped()}
    sections = [*dict.fromkeys(practice.section for practice in practices.values()), OWN_SECTION]
    own: set[str] = set()
    for number, entry in enumerate(tables.get("practices", [])):
        at = ("practices", number)
        name = entry.get("name")
        if isinstance(name, str) and "/" not in name:
            _check_known(file, (*at, "name"), name, practices)
            tightened = validated(TightenedPractice, entry, file, at)
            practices[name] = _tighten(file, at, practices[name], tightened)
        else:
            practice = validated(OwnPractice, entry, file, at)
            _check_own(file, at, practice, sections, own)
            own.add(practice.name)
            practices[practice.name] = Practice(**dict(practice))
    enforce = validated(Enforce, tables.get("enforce", {}), file, ("enforce",))
    for number, name in enumerate(enforce.practices):
        _check_known(file, ("enforce", "practices", number), name, practices, element=name)
        practices[name] = practices[name].model_copy(update={"enforced": True})
    for number, exception in enumerate(tables.get("exceptions", [])):
        if "practice" in exception:
            at = ("exceptions", number)
            _check_known(file, (*at, "practice"), exception["practice"], practices)
    baseline.check_practices(project.root / BASELINE_FILE, project.baseline, practices)
    statements = validated(list[Statement], tables.get("statements", []), file, ("statements",))
    judged = [practice.name for practice in practices.values() if practice.takes_statements]
    for number, name in enumerate(statement.practice for statement in statements):
        if name not in judged:
            reason = "is judged by evidence, not by a statement"
            problem = baseline.practice_problem(name, judged, practices, reason)
            raise invalid(file, ("statements", number, "practice"), problem, kind="practice")
    return Registry(
        sorted(practices.values(), key=lambda practice: sections.index(practice.section)),
        tuple(statements),
    )


def check_durations(project: Project, registry: Registry, today: date) -> None:
    """Check that statements and exceptions last for a year at most.

    Raises:
        SettingsError: One lasts longer.
    """
    file = project.root / "handoff.toml"
    limits = [
        *(("statements", one.expires, one.day, f"after {one.day}") for one in registry.statements),
        *(("exceptions", one.expires, today, "ahead") for one in project.exceptions),
    ]
    numbers: Counter[str] = Counter()
    for table, expires, start, since in limits:
        if expires - start > _YEAR:
            problem = f"`expires = {expires}` is more than a year {since}: renew it every year"
            raise invalid(file, (table, numbers[table], "expires"), problem, kind="duration")
        numbers[table] += 1


def _check_own(
    file: Path,
    at: tuple[str, int],
    practice: OwnPractice,
    sections: Sequence[str],
    own: set[str],
) -> None:
    if practice.name in own:
        problem = f"the practice `{practice.name}` is there twice: remove one"
        raise invalid(file, (*at, "name"), problem, kind="twice")
    if practice.section not in sections:
        problem = f"the section `{practice.section}` is unknown: use {', '.join(sections)}"
        raise invalid(file, (*at, "section"), problem, kind="section")
    try:
        command = shlex.split(practice.check)
    except ValueError as error:
        problem = f"`check` is no command with arguments ({str(error).lower()}): correct it"
        raise invalid(file, (*at, "check"), problem, kind="command") from error
    if not command:
        problem = "`check` is empty: use a command, or `module:function`"
        raise invalid(file, (*at, "check"), problem, kind="command")


def _tighten(
    file: Path, at: tuple[str, int], practice: Practice, stated: TightenedPractice
) -> Practice:
    """A practice of the standards, of which a team requires more."""
    tightened = practice.model_copy(update={"tiers": {**practice.tiers, **stated.tiers}})
    for side in stated.tiers:
        for level in (0, 1, 2):
            tier, standard = tightened.tier(side, level), practice.tier(side, level)
            if TIERS.index(tier) > TIERS.index(standard):
                problem = (
                    f"{practice.name} is a {standard} for {side} in the standards, and {tier} is"
                    " less: a team may require more, never less"
                )
                raise invalid(file, (*at, "tiers"), problem, kind="looser")
    return tightened


def _check_known(
    file: Path,
    at: tuple[str | int, ...],
    name: str,
    practices: Mapping[str, Practice],
    element: str | None = None,
) -> None:
    if name in practices:
        return
    otherwise = f"use {', '.join(practices)}"
    if at[0] == "practices":
        otherwise += f', or a name of your own with a slash, "acme/{name}"'
    problem = f"the practice {name} is unknown{hint(name, practices, otherwise)}"
    raise invalid(file, at, problem, kind="practice", element=element)
