"""The registry: every practice, those of the standards and a team's own, and what people state."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, cast

from baton_handoff.config.baseline import BASELINE_FILE
from baton_handoff.config.project import Project
from baton_handoff.config.sides import DATA_SCIENCE, ML_ENGINEERING, SIDES
from baton_handoff.config.validation import Entry, entries, table_of
from baton_handoff.core.toml_files import read_toml
from baton_handoff.policy.practices import baseline
from baton_handoff.policy.practices.practice import STAGES, TIERS, Practice, Tier

SHIPPED = Path(__file__).with_name("practices.toml")
STATEMENT = "statement"
"""The check of a practice that only a person can judge."""

OWN = "own"
"""The section of a team's own practices that name none."""

ROLES = {"data-scientist": DATA_SCIENCE, "ml-engineer": ML_ENGINEERING}
"""For each role the side that it speaks for."""

_EFFECTS = ("counterproductive", "neutral", "productive")
_HURDLES = ("cost", "knowledge", "incentive", "none")
_CHEAPER = ("before", "after", "either")
_ALL = ("name", "section", "title", "why", "tiers", "stage", "effect", "hurdle", "cheaper")
_MAY = (*_ALL, "check", "fix", "baseline")
_RECORDED_NEVER = ("contracts", "tests")
"""The sections whose practices no baseline can hold: they see breaks of contracts."""

_YEAR = timedelta(days=366)
"""For so long counts what a person says, or accepts: who knows it may be gone by then."""

_OWN_NEED = ("name", "title", "why", "tiers", "check", "fix")


@dataclass(frozen=True)
class Statement:
    """What a person says of a practice that only a person can judge, `[[statements]]`.

    Attributes:
        practice: The practice.
        by: The role of whoever says it.
        says: What is said.
        day: When.
        expires: The last day on which it counts.
    """

    practice: str
    by: str
    says: str
    day: date
    expires: date

    @property
    def side(self) -> str:
        """The side that it speaks for."""
        return ROLES[self.by]

    def counts(self, today: date) -> bool:
        """Whether it is of today's or an earlier day, and has not expired."""
        return self.day <= today <= self.expires


@dataclass(frozen=True)
class Registry:
    """Every practice, and every statement.

    Attributes:
        practices: The practices, in the order of the sections.
        statements: What people state.
        of_base: The names of a team's own practices whose check only the base of a change states.
    """

    practices: Sequence[Practice]
    statements: Sequence[Statement]
    of_base: frozenset[str] = frozenset()


@cache
def shipped() -> tuple[Practice, ...]:
    """The practices that the standards bring along.

    Raises:
        HandoffError: practices.toml can't be used.
    """
    return practices_of(read_toml(SHIPPED))


def practices_of(stated: Mapping[str, Any]) -> tuple[Practice, ...]:
    """The practices of a practices.toml.

    Raises:
        HandoffError: It can't be used.
    """
    found = [
        _shipped(entry, stated["sections"])
        for entry in entries(SHIPPED, "practices", stated["practices"])
    ]
    return tuple(sorted(found, key=lambda practice: stated["sections"].index(practice.section)))


def registry_of(project: Project, standard: Sequence[Practice] | None = None) -> Registry:
    """Every practice of a project, and what people state there.

    Args:
        project: The project.
        standard: The practices of the standards; by default those at work.

    Raises:
        HandoffError: handoff.toml says something of practices that can't be used.
    """
    file, said = project.root / "handoff.toml", project.practices
    known = {practice.name: practice for practice in standard or shipped()}
    sections = [*dict.fromkeys(practice.section for practice in known.values()), OWN]
    for entry in entries(file, "practices", said.get("practices", [])):
        name = entry.text("name")
        if "/" in name:
            if name in known:
                entry.wrong("name", f"`{name}` is there twice")
            known[name] = _practice(entry, sections, _OWN_NEED)
        elif name in known:
            known[name] = _tightened(entry, known[name])
        else:
            entry.wrong(
                "name",
                f"`{name}` is no practice of the standards: one of your own has a name of yours and"
                f' a slash before it, "acme/{name}"',
            )
    for name in _enforced(table_of(file, "enforce", said.get("enforce", {})), known):
        known[name] = replace(known[name], enforced=True)
    for entry in entries(file, "exceptions", said.get("exceptions", [])):
        if "practice" in entry.values:
            _practice_named(entry, "practice", entry.text("practice"), known)
    baseline.check_practices(project.root / BASELINE_FILE, project.baseline, known)
    return Registry(
        sorted(known.values(), key=lambda practice: sections.index(practice.section)),
        tuple(
            _statement(entry, known)
            for entry in entries(file, "statements", said.get("statements", []))
        ),
    )


def for_a_year(project: Project, today: date) -> None:
    """Make sure that what people state, or accept, is looked at again within a year.

    Args:
        project: The project.
        today: The day it is.

    Raises:
        HandoffError: Something is to last for longer.
    """
    file, said = project.root / "handoff.toml", project.practices
    for entry in entries(file, "statements", said.get("statements", [])):
        if entry.day("expires") - entry.day("date") > _YEAR:
            day = f"`date = {entry.day('date')}`"
            _too_long(entry, f"after {day}: state it for a year at most, and again then")
    for entry in entries(file, "exceptions", said.get("exceptions", [])):
        if entry.day("expires") - today > _YEAR:
            _too_long(entry, "ahead: accept it for a year at most, and look again then")


def _too_long(entry: Entry, what: str) -> None:
    entry.wrong("expires", f"`expires = {entry.day('expires')}` is more than a year {what}")


def _shipped(entry: Entry, sections: Sequence[str]) -> Practice:
    """A practice of the standards, which also says whether adopting them brings it."""
    said = dict(entry.values)
    brought = said.pop("brought", False) is True
    needed = (*_ALL, "check", "fix")
    return replace(_practice(replace(entry, values=said), sections, needed), brought=brought)


def _practice(entry: Entry, sections: Sequence[str], needed: Sequence[str]) -> Practice:
    entry.only(_MAY, needed)
    check = entry.text("check")
    try:
        command = shlex.split(check)
    except ValueError as error:
        reason = str(error).lower()
        entry.wrong("check", f"`check` can't be split into a command and its arguments: {reason}")
    if not command:
        entry.wrong("check", "`check` of [[practices]] must be a text that is not empty")
    section = entry.choice("section", sections, OWN)
    recorded = entry.values.get("baseline", False)
    if not isinstance(recorded, bool) or (recorded and section in _RECORDED_NEVER):
        entry.wrong(
            "baseline",
            "`baseline` must be true or false, and is never true in the sections"
            f" {' and '.join(_RECORDED_NEVER)}",
        )
    return Practice(
        name=entry.text("name"),
        section=section,
        title=entry.text("title"),
        why=entry.text("why"),
        tiers=_tiers(entry),
        stage=cast("Any", entry.choice("stage", STAGES, "handoff")),
        effect=cast("Any", entry.choice("effect", _EFFECTS, "neutral")),
        hurdle=cast("Any", entry.choice("hurdle", _HURDLES, "none")),
        cheaper=cast("Any", entry.choice("cheaper", _CHEAPER, "either")),
        check=check,
        fix=entry.text("fix"),
        baseline=recorded,
    )


def _tiers(entry: Entry) -> Mapping[str, Tier | tuple[Tier, Tier, Tier]]:
    stated = entry.values["tiers"]
    if not isinstance(stated, Mapping) or not stated:
        entry.wrong("tiers", f"`tiers` must say a tier for {' or '.join(SIDES)}")
    found: dict[str, Tier | tuple[Tier, Tier, Tier]] = {}
    for side, tiers in stated.items():
        if side not in SIDES:
            entry.wrong("tiers", f"`{side}` is no side: it may be {', '.join(SIDES)}")
        several = tiers if isinstance(tiers, list) and len(tiers) == 3 else [tiers]
        for tier in several:
            if tier not in TIERS:
                entry.wrong("tiers", f"`{tier}` is no tier: it may be {', '.join(TIERS)}")
        found[side] = cast("Any", tuple(several) if len(several) == 3 else several[0])
    return found


def _tightened(entry: Entry, practice: Practice) -> Practice:
    """A practice of the standards, of which a team asks more."""
    entry.only(("name", "tiers"), ("name", "tiers"))
    tighter = replace(practice, tiers={**practice.tiers, **_tiers(entry)})
    for side in SIDES:
        for level in (0, 1, 2):
            asked, before = tighter.tier(side, level), practice.tier(side, level)
            if TIERS.index(asked) > TIERS.index(before):
                entry.wrong(
                    "tiers",
                    f"{practice.name} is a {before} for {side} in the standards, and {asked} is"
                    " less: a team may ask for more, never for less",
                )
    return tighter


def _enforced(entry: Entry, known: Mapping[str, Practice]) -> list[str]:
    """The practices that block ahead of the level, `[enforce]`."""
    entry.only(("practices",), ())
    names = entry.values.get("practices", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        entry.wrong("practices", "`practices` of [enforce] must be a list of names of practices")
    for name in names:
        _practice_named(entry, "practices", name, known)
    return names


def _practice_named(entry: Entry, key: str, name: str, known: Mapping[str, Practice]) -> None:
    """Make sure that a practice is there."""
    if name not in known:
        may = ", ".join(get_close_matches(name, known, cutoff=0.4) or known)
        entry.wrong(key, f"the practice {name} is unknown: it may be {may}", name)


def _statement(entry: Entry, known: Mapping[str, Practice]) -> Statement:
    keys = ("practice", "by", "says", "date", "expires")
    entry.only(keys, keys)
    name = entry.text("practice")
    judged = [practice.name for practice in known.values() if practice.check == STATEMENT]
    if name not in judged:
        entry.wrong(
            "practice",
            f"{name} is judged by evidence, not by a statement: statements are for"
            f" {', '.join(judged)}"
            if name in known
            else f"the practice {name} is unknown: statements are for {', '.join(judged)}",
        )
    day, expires = entry.day("date"), entry.day("expires")
    if day > expires:
        entry.wrong("date", f"`date = {day}` is after `expires = {expires}`: it would never count")
    return Statement(
        practice=name,
        by=entry.choice("by", tuple(ROLES)),
        says=entry.text("says"),
        day=day,
        expires=expires,
    )
