"""What adopting Baton would bring to a repository in which it is not in use, and what not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from baton_handoff.policy.practices.assessment import (
    Assessment,
    PracticeResult,
    State,
    UnmanagedFacts,
)
from baton_handoff.policy.practices.practice import Practice

_HURDLES = {
    "none": "nothing in the way",
    "knowledge": "asks for knowledge",
    "cost": "asks for time",
    "incentive": "asks for a reason",
}
"""What people need for what stays their work, by what keeps them from it."""


def brings(assessment: Assessment) -> Mapping[str, Sequence[Practice]]:
    """What is open and would be met by adopting alone, by section."""
    return _grouped(
        {one.section: one.section for one in _open(assessment)},
        [one for one in _open(assessment) if one.brought],
        "section",
    )


def remains(assessment: Assessment) -> Mapping[str, Sequence[Practice]]:
    """What would stay the work of people, by what it asks for."""
    return _grouped(_HURDLES, [one for one in _open(assessment) if not one.brought], "hurdle")


def both(assessment: Assessment) -> Iterator[tuple[str, Mapping[str, Sequence[Practice]]]]:
    """What adopting brings and what it does not, each under its title."""
    yield "Adopting Baton brings", brings(assessment)
    yield "What stays people's work", remains(assessment)


def number_of(groups: Mapping[str, Sequence[Practice]]) -> int:
    """How many practices there are in all groups."""
    return sum(map(len, groups.values()))


def found(assessment: Assessment) -> Sequence[PracticeResult]:
    """What is not met by what can be read there, each practice once."""
    return _first(one for one in assessment.results if one.state is State.NOT_MET)


def shown_by(assessment: Assessment) -> Mapping[str, Sequence[Practice]]:
    """What is not shown and a command of the repository would show, by that command."""
    hidden = _first(
        one
        for one in assessment.results
        if one.state is State.NOT_SHOWN and one.fix[:1] + one.fix[-1:] == "``"
    )
    return {
        command: [one.practice for one in hidden if one.fix == command]
        for command in dict.fromkeys(one.fix for one in hidden)
    }


def names(practices: Sequence[Practice]) -> str:
    """Join the names of practices in a line."""
    return ", ".join(practice.name for practice in practices)


def looked_at(known: UnmanagedFacts) -> str:
    """How much was looked at, in words."""
    counts = [
        f"{number:,} {what.removesuffix('s') if number == 1 else what}"
        for what, number in known.looked_at.items()
    ]
    unread = f"; {len(known.unread):,} with code can't be read" if known.unread else ""
    return f"{', '.join(counts)}{unread}"


def states(assessment: Assessment) -> str:
    """How many practices are in each state, in words."""
    by_name = {result.practice.name: result.state for result in assessment.results}
    counts = {state: [*by_name.values()].count(state) for state in State}
    return " · ".join(f"{number} {state}" for state, number in counts.items() if number)


def _open(assessment: Assessment) -> list[Practice]:
    """The practices of which something is open that is asked for at this level."""
    asked = (one for one in assessment.results if not one.reached and one.tier != "not-needed")
    return [one.practice for one in _first(asked)]


def _first(results: Iterable[PracticeResult]) -> list[PracticeResult]:
    """The first of each practice: reading shows the same of both sides."""
    return list({one.practice.name: one for one in reversed([*results])}.values())[::-1]


def _grouped(
    names: Mapping[str, str], practices: Sequence[Practice], by: str
) -> Mapping[str, Sequence[Practice]]:
    groups = {
        said: [one for one in practices if getattr(one, by) == name] for name, said in names.items()
    }
    return {said: found for said, found in groups.items() if found}
