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


def not_met(assessment: Assessment) -> Sequence[PracticeResult]:
    """Return what the files show not to be met, each practice once."""
    return _once(result for result in assessment.results if result.state is State.NOT_MET)


def by_command(assessment: Assessment) -> Groups:
    """Return what is not shown, by the command of the repository that would show it."""
    groups: dict[str, list[Practice]] = {}
    for result in _once(one for one in assessment.results if one.state is State.NOT_SHOWN):
        if result.command:
            groups.setdefault(f"`{result.command}`", []).append(result.practice)
    return groups


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
