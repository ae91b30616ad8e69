"""What every screen says of a standing: what blocks when, and what to do next."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from baton_handoff.policy.practices.assessment import Outcome, Standing, State
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
        outcomes: What it mends, the most urgent first.
    """

    when: str
    sides: tuple[str, ...]
    fix: str
    outcomes: tuple[Outcome, ...]

    @property
    def says(self) -> str:
        """What was seen of the most urgent, for each of the sides."""
        first = self.outcomes[0].practice
        seen = [one for one in self.outcomes if one.practice == first and one.side in self.sides]
        return " ".join(dict.fromkeys(one.says for one in seen))


def for_side(standing: Standing, side: str | None) -> Standing:
    """The same for one side; for all where none is named."""
    chosen = [outcome for outcome in standing.outcomes if side in (None, outcome.side)]
    return replace(standing, outcomes=chosen)


def at_level(standing: Standing, level: int) -> Standing:
    """The same as if another level had been chosen."""
    outcomes = [
        replace(outcome, tier=outcome.practice.tier(outcome.side, level))
        for outcome in standing.outcomes
    ]
    return replace(standing, level=level, outcomes=outcomes)


def sides_of(standing: Standing) -> list[str]:
    """The sides of which something is asked, in the order in which they come up."""
    return list(dict.fromkeys(outcome.side for outcome in standing.outcomes))


def next_level(standing: Standing) -> list[Outcome]:
    """What the next level asks for and this one lets pass; nothing at the highest."""
    if standing.level == HIGHEST:
        return []
    level = standing.level + 1
    now = [outcome for stage in STAGES for outcome in standing.blocking(stage)]
    found = standing.blocking("push", level) + standing.blocking("promotion", level)
    return [outcome for place, outcome in enumerate(found) if outcome not in (*now, *found[:place])]


def blocking_counts(standing: Standing) -> dict[str, int]:
    """How much blocks at each stage, and at the next level beyond that."""
    left_open = sum(finding.blocks for finding in standing.left_open)
    found = {WHEN[stage]: len(standing.blocking(stage)) + left_open for stage in STAGES}
    if standing.level < HIGHEST:
        found[f"more at level {standing.level + 1}"] = len(next_level(standing))
    return found


def describe_levels(standing: Standing) -> str:
    """The level that is earned, and the one that was chosen, in words."""
    if standing.unadopted:
        return f"level {standing.earned()} earned, Baton not in use"
    return f"level {standing.earned()} earned, level {standing.level} chosen"


def describe_base(standing: Standing) -> str:
    """What judges a change; empty where it was held against nothing."""
    return f"Judged by the stricter of this and {standing.base}." if standing.base else ""


def accepted_results(standing: Standing) -> list[Outcome]:
    """What is accepted although it is red."""
    return [outcome for outcome in standing.outcomes if outcome.excepted]


def handoff_notice(standing: Standing) -> str:
    """Say to whoever offers a version how much its handoff still asks; empty where nothing."""
    sides = Counter(outcome.side for outcome in standing.blocking("handoff"))
    if not sides:
        return ""
    whose = ", ".join(f"{side} {count}" for side, count in sides.items())
    return (
        f"Open at the handoff: {whose}. `uv run poe status --stage handoff` says what; a promotion"
        " waits for it."
    )


def next_steps(standing: Standing, most: int = 3) -> list[NextStep]:
    """The next things to do: what blocks soonest, and each fix once.

    Args:
        standing: Where the project stands.
        most: So many at most.
    """
    found: dict[str, NextStep] = {}
    for when, outcome in _in_turn(standing):
        fix = outcome.fix or outcome.practice.fix
        step = found.get(fix, NextStep(when, (), fix, ()))
        if outcome not in step.outcomes:
            # A side that it blocks only later, or never, is not listed yet.
            whose = (outcome.side,) if when == step.when else ()
            sides = tuple(dict.fromkeys((*step.sides, *whose)))
            found[fix] = replace(step, sides=sides, outcomes=(*step.outcomes, outcome))
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


def _in_turn(standing: Standing) -> Iterator[tuple[str, Outcome]]:
    blocks = "would block" if standing.unadopted else "blocks"
    for stage in STAGES:
        yield from ((f"{blocks} {WHEN[stage]}", outcome) for outcome in standing.blocking(stage))
    level = standing.level + 1
    yield from ((f"{blocks} at level {level}", outcome) for outcome in next_level(standing))
    advice = [
        outcome
        for outcome in standing.outcomes
        if not outcome.reached and outcome.tier != "not-needed"
    ]
    # What is cheap to show comes before what has to be built.
    advice.sort(key=lambda one: (TIERS.index(one.tier), one.state is not State.NOT_SHOWN))
    yield from ((f"advice, {outcome.tier}", outcome) for outcome in advice)
