"""What every screen says of an assessment: what blocks when, and what to do next."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.practice import STAGES, TIERS, Practice, Stage
from baton_handoff.reporting.findings import Finding

HIGHEST = 2
"""The highest level there is."""

LEFT_OPEN = "What this change leaves open"
"""The title over what is no practice, and may block all the same."""

LOOSENED = "What this change makes easier, or may"
"""The title over what a change does to what judges it."""

WHEN: Mapping[Stage, str] = {
    "push": "now",
    "handoff": "at the handoff",
    "promotion": "at the promotion",
}
"""When a stage comes, for somebody who has just pushed."""


@dataclass(frozen=True)
class NextStep:
    """One thing to do.

    Attributes:
        when: When what it mends blocks, in words.
        sides: Whom it blocks then: who has to do it.
        fix: What to do, the command where there is one.
        results: What it mends, the most urgent first.
    """

    when: str
    sides: tuple[str, ...]
    fix: str
    results: tuple[PracticeResult, ...]

    @property
    def says(self) -> str:
        """What was seen of the most urgent, for each of the sides."""
        first = self.results[0].practice
        seen = [one for one in self.results if one.practice == first and one.side in self.sides]
        return " ".join(dict.fromkeys(one.message for one in seen))


def for_side(assessment: Assessment, side: str | None) -> Assessment:
    """The same for one side; for all where none is named."""
    chosen = [result for result in assessment.results if side in (None, result.side)]
    return replace(assessment, results=chosen)


def at_level(assessment: Assessment, level: int) -> Assessment:
    """The same as if another level had been chosen."""
    results = [
        replace(result, tier=result.practice.tier(result.side, level))
        for result in assessment.results
    ]
    return replace(assessment, level=level, results=results)


def sides_of(assessment: Assessment) -> list[str]:
    """The sides of which something is asked, in the order in which they come up."""
    return list(dict.fromkeys(result.side for result in assessment.results))


def next_level(assessment: Assessment) -> list[PracticeResult]:
    """What the next level asks for and this one lets pass; nothing at the highest."""
    if assessment.level == HIGHEST:
        return []
    level = assessment.level + 1
    now = [result for stage in STAGES for result in assessment.blocking(stage)]
    found = assessment.blocking("push", level) + assessment.blocking("promotion", level)
    return [result for place, result in enumerate(found) if result not in (*now, *found[:place])]


def blocking_counts(assessment: Assessment) -> dict[str, int]:
    """How much blocks at each stage, and at the next level beyond that."""
    change_findings = sum(finding.blocks for finding in assessment.change_findings)
    found = {WHEN[stage]: len(assessment.blocking(stage)) + change_findings for stage in STAGES}
    if assessment.level < HIGHEST:
        found[f"more at level {assessment.level + 1}"] = len(next_level(assessment))
    return found


def describe_levels(assessment: Assessment) -> str:
    """The level that is earned, and the one that was chosen, in words."""
    if assessment.unmanaged:
        return f"level {assessment.earned()} earned, Baton not in use"
    return f"level {assessment.earned()} earned, level {assessment.level} chosen"


def describe_base(assessment: Assessment) -> str:
    """What judges a change; empty where it was held against nothing."""
    return f"Judged by the stricter of this and {assessment.base}." if assessment.base else ""


def accepted_results(assessment: Assessment) -> list[PracticeResult]:
    """What is accepted although it is red."""
    return [result for result in assessment.results if result.excepted]


def handoff_notice(assessment: Assessment) -> str:
    """Say to whoever offers a version how much its handoff still asks; empty where nothing."""
    sides = Counter(result.side for result in assessment.blocking("handoff"))
    if not sides:
        return ""
    whose = ", ".join(f"{side} {count}" for side, count in sides.items())
    return (
        f"Open at the handoff: {whose}. `uv run poe status --stage handoff` says what; a promotion"
        " waits for it."
    )


def next_steps(assessment: Assessment, most: int = 3) -> list[NextStep]:
    """The next things to do: what blocks soonest, and each fix once.

    Args:
        assessment: Where the project stands.
        most: So many at most.
    """
    found: dict[str, NextStep] = {}
    for when, result in _in_turn(assessment):
        fix = result.fix or result.practice.fix
        step = found.get(fix, NextStep(when, (), fix, ()))
        if result not in step.results:
            # A side that it blocks only later, or never, is not listed yet.
            whose = (result.side,) if when == step.when else ()
            sides = tuple(dict.fromkeys((*step.sides, *whose)))
            found[fix] = replace(step, sides=sides, results=(*step.results, result))
    return list(found.values())[:most]


def unmentioned_file(finding: Finding) -> str:
    """The file that a finding is in, where its sentence does not name it; else nothing."""
    file = finding.file or ""
    return "" if file in finding.message else file


def practice_link(practice: Practice) -> str:
    """Where the site of `uv run poe docs` explains a practice."""
    return f"site/practices.html#{practice.name.replace('/', '')}"


def practice_label(practice: Practice) -> str:
    """Its title, and the name by which settings and commands know it, as code."""
    return f"{practice.title} (`{practice.name}`)"


def _in_turn(assessment: Assessment) -> Iterator[tuple[str, PracticeResult]]:
    blocks = "would block" if assessment.unmanaged else "blocks"
    for stage in STAGES:
        yield from ((f"{blocks} {WHEN[stage]}", result) for result in assessment.blocking(stage))
    level = assessment.level + 1
    yield from ((f"{blocks} at level {level}", result) for result in next_level(assessment))
    advice = [
        result
        for result in assessment.results
        if not result.reached and result.tier != "not-needed"
    ]
    # What is cheap to show comes before what has to be built.
    advice.sort(key=lambda one: (TIERS.index(one.tier), one.state is not State.NOT_SHOWN))
    yield from ((f"advice, {result.tier}", result) for result in advice)
