"""What adopting Baton would bring to a repository in which it is not in use, and what not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from baton_handoff.policy.practices.assessment import Outcome, Standing, State, Unadopted
from baton_handoff.policy.practices.practice import Practice

_HURDLES = {
    "none": "nothing in the way",
    "knowledge": "asks for knowledge",
    "cost": "asks for time",
    "incentive": "asks for a reason",
}
"""What people need for what stays their work, by what keeps them from it."""


def brings(standing: Standing) -> Mapping[str, Sequence[Practice]]:
    """What is open and would be met by adopting alone, by section."""
    return _grouped(
        {one.section: one.section for one in _open(standing)},
        [one for one in _open(standing) if one.brought],
        "section",
    )


def remains(standing: Standing) -> Mapping[str, Sequence[Practice]]:
    """What would stay the work of people, by what it asks for."""
    return _grouped(_HURDLES, [one for one in _open(standing) if not one.brought], "hurdle")


def both(standing: Standing) -> Iterator[tuple[str, Mapping[str, Sequence[Practice]]]]:
    """What adopting brings and what it does not, each under its title."""
    yield "Adopting Baton brings", brings(standing)
    yield "What stays people's work", remains(standing)


def number_of(groups: Mapping[str, Sequence[Practice]]) -> int:
    """How many practices there are in all groups."""
    return sum(map(len, groups.values()))


def found(standing: Standing) -> Sequence[Outcome]:
    """What is not met by what can be read there, each practice once."""
    return _first(one for one in standing.outcomes if one.state is State.NOT_MET)


def shown_by(standing: Standing) -> Mapping[str, Sequence[Practice]]:
    """What is not shown and a command of the repository would show, by that command."""
    hidden = _first(
        one
        for one in standing.outcomes
        if one.state is State.NOT_SHOWN and one.fix[:1] + one.fix[-1:] == "``"
    )
    return {
        command: [one.practice for one in hidden if one.fix == command]
        for command in dict.fromkeys(one.fix for one in hidden)
    }


def names(practices: Sequence[Practice]) -> str:
    """Join the names of practices in a line."""
    return ", ".join(practice.name for practice in practices)


def looked_at(known: Unadopted) -> str:
    """How much was looked at, in words."""
    counts = [
        f"{number:,} {what.removesuffix('s') if number == 1 else what}"
        for what, number in known.looked_at.items()
    ]
    unread = f"; {len(known.unread):,} with code can't be read" if known.unread else ""
    return f"{', '.join(counts)}{unread}"


def states(standing: Standing) -> str:
    """How many practices are in each state, in words."""
    by_name = {outcome.practice.name: outcome.state for outcome in standing.outcomes}
    counts = {state: [*by_name.values()].count(state) for state in State}
    return " · ".join(f"{number} {state}" for state, number in counts.items() if number)


def _open(standing: Standing) -> list[Practice]:
    """The practices of which something is open that is asked for at this level."""
    asked = (one for one in standing.outcomes if not one.reached and one.tier != "not-needed")
    return [one.practice for one in _first(asked)]


def _first(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The first of each practice: reading shows the same of both sides."""
    return list({one.practice.name: one for one in reversed([*outcomes])}.values())[::-1]


def _grouped(
    names: Mapping[str, str], practices: Sequence[Practice], by: str
) -> Mapping[str, Sequence[Practice]]:
    groups = {
        said: [one for one in practices if getattr(one, by) == name] for name, said in names.items()
    }
    return {said: found for said, found in groups.items() if found}
