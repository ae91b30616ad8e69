"""What adopting Baton would change in a repository that does not use it."""

from collections.abc import Iterable, Mapping, Sequence

from baton_handoff.policy.practices.assessment import (
    Assessment,
    PracticeResult,
    State,
    UnmanagedFacts,
)
from baton_handoff.policy.practices.practice import Practice

_HURDLES = {
    "none": "no obstacle",
    "knowledge": "needs knowledge",
    "cost": "needs time",
    "incentive": "needs an incentive",
}
"""What people need for a practice, by its hurdle."""

_SHOWN = (State.MET, State.NOT_MET, State.NOT_SHOWN)
"""The order in which a section lists what reading shows."""

Groups = Mapping[str, Sequence[Practice]]


def both(assessment: Assessment) -> list[tuple[str, Groups]]:
    """Group the open practices under titles: what adopting Baton meets, and what needs people."""
    wanted = (one for one in assessment.results if not one.reached and one.tier != "not-needed")
    practices = [result.practice for result in _once(wanted)]
    met = [practice for practice in practices if practice.brought]
    sections = dict.fromkeys(practice.section for practice in met)
    others = {
        name: [one for one in practices if not one.brought and one.hurdle == hurdle]
        for hurdle, name in _HURDLES.items()
    }
    by_section = {name: [one for one in met if one.section == name] for name in sections}
    by_need = {name: group for name, group in others.items() if group}
    return [("Adopting Baton meets", by_section), ("People still have to do", by_need)]


def shown(assessment: Assessment) -> list[tuple[str, list[PracticeResult]]]:
    """Return what reading shows of each section: met, not met, and what only a run can judge."""
    known = assessment.unmanaged.readable if assessment.unmanaged else ()
    results = [one for one in _once(assessment.results) if one.practice.name in known]
    ordered = [one for state in _SHOWN for one in results if one.state is state]
    groups = {
        name: [one for one in ordered if one.practice.section == name]
        for name in assessment.sections()
    }
    return [(name, group) for name, group in groups.items() if group]


def describe_section(results: Sequence[PracticeResult]) -> str:
    """Describe how much of a section is met, of what reading can judge."""
    judged = [one for one in results if one.state is not State.NOT_SHOWN]
    if not judged:
        return "not judged by reading"
    return f"{sum(one.state is State.MET for one in judged)} of {len(judged)} met"


def unrecognised(known: UnmanagedFacts) -> list[str]:
    """Return the parts of the border that reading did not recognise."""
    return [name for name, items in known.border.items() if not items]


def describe_files(known: UnmanagedFacts) -> str:
    """Describe how many files of each kind were read."""
    counts = [
        f"{number:,} {kind.removesuffix('s') if number == 1 else kind}"
        for kind, number in known.looked_at.items()
    ]
    unread = f"; {len(known.unread):,} with code can't be read" if known.unread else ""
    return f"Read: {', '.join(counts)}{unread}."


def _once(results: Iterable[PracticeResult]) -> list[PracticeResult]:
    """Return the first result of each practice: reading shows the same of both sides."""
    first: dict[str, PracticeResult] = {}
    for result in results:
        first.setdefault(result.practice.name, result)
    return [*first.values()]
