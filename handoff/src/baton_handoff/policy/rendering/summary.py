"""What every report of an assessment contains: the levels, what blocks when, what to do next."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.practice import TIERS, Practice
from baton_handoff.policy.practices.stages import STAGES, Stage
from baton_handoff.policy.practices.way import Way

HIGHEST = 2
"""The highest level."""

CHANGE_FINDINGS = "Unfinished"
"""The title of the findings about a change that no practice covers."""

DRAFTS = "Drafted rules: they only warn"
"""The title of the findings about rules that nobody has confirmed."""

LOOSENED = "This change loosens its own checks, or may"
"""The title of the findings about what a change does to its own checks."""

WHEN: Mapping[Stage, str] = {
    "push": "now",
    "handoff": "at the handoff",
    "promotion": "at the promotion",
}
"""When a stage comes, for the author of a change."""


@dataclass(frozen=True)
class NextStep:
    """One thing to do.

    Attributes:
        when: When the practices that it fixes block, in words.
        sides: The sides that it blocks then, and that have to do it.
        fix: What to do, the command if there is one.
        results: The results that it fixes, the most urgent first.
    """

    when: str
    sides: tuple[str, ...]
    fix: str
    results: tuple[PracticeResult, ...]

    @property
    def practices(self) -> list[str]:
        """The names of the practices that it fixes."""
        return list(dict.fromkeys(result.practice.name for result in self.results))

    @property
    def message(self) -> str:
        """What was found about the most urgent practice, for each of the sides."""
        first = self.results[0].practice
        messages = [
            result.message
            for result in self.results
            if result.practice == first and result.side in self.sides
        ]
        return " ".join(dict.fromkeys(messages))


def for_side(assessment: Assessment, side: str | None) -> Assessment:
    """Return the part of an assessment that concerns one side; all of it for None."""
    chosen = [result for result in assessment.results if side in (None, result.side)]
    return replace(assessment, results=chosen)


def sides_of(assessment: Assessment) -> list[str]:
    """Return the sides that the practices concern, in the order of the results."""
    return list(dict.fromkeys(result.side for result in assessment.results))


def blocking_by_message(
    assessment: Assessment, stage: Stage
) -> Iterator[tuple[PracticeResult, list[str]]]:
    """Yield what blocks at a stage: each result once, with the sides that share it."""
    alike: dict[tuple[str, ...], list[PracticeResult]] = {}
    for result in assessment.blocking(stage):
        key = result.practice.name, result.state, result.message
        alike.setdefault(key, []).append(result)
    for results in alike.values():
        yield results[0], [result.side for result in results]


def next_level(assessment: Assessment) -> list[PracticeResult]:
    """Return what blocks only at the next level; nothing at the highest."""
    if assessment.level == HIGHEST:
        return []
    level = assessment.level + 1
    now = [result for stage in STAGES for result in assessment.blocking(stage)]
    found = assessment.blocking("push", level) + assessment.blocking("promotion", level)
    return [result for place, result in enumerate(found) if result not in (*now, *found[:place])]


def blocking_counts(assessment: Assessment) -> dict[str, int]:
    """Return how much blocks at each stage, and how much more at the next level."""
    findings = sum(finding.blocks for finding in assessment.change_findings)
    counts = {WHEN[stage]: len(assessment.blocking(stage)) + findings for stage in STAGES}
    if assessment.level < HIGHEST:
        counts[f"more at level {assessment.level + 1}"] = len(next_level(assessment))
    return counts


def describe_levels(assessment: Assessment) -> str:
    """Describe the chosen level and the earned one; level 0 is not worth the word earned."""
    earned = assessment.earned()
    if assessment.unmanaged:
        return "Baton not in use" + (f", level {earned} earned" if earned else "")
    if earned == assessment.level:
        return f"level {earned} chosen" + (" and earned" if earned else "")
    return f"level {assessment.level} chosen, " + (
        f"level {earned} earned" if earned else "not earned"
    )


def describe_progress(assessment: Assessment) -> str:
    """Describe how many practices are in each state; one counts by the worst of its sides."""
    states: dict[str, set[str]] = {}
    for result in assessment.results:
        state = "accepted" if result.excepted else result.state
        states.setdefault(result.practice.name, set()).add(state)
    if assessment.unmanaged:
        shown = [found for found in states.values() if found & {State.MET, State.NOT_MET}]
        met = sum(State.NOT_MET not in found for found in shown)
        hidden = sum(State.NOT_SHOWN in found for found in states.values())
        return (
            f"Reading shows {met} of {len(shown)} readable practices to be met;"
            f" {hidden} others need a run or a person, and were not looked at."
        )
    order = (State.MET, State.STATED, "accepted", State.NOT_SHOWN, State.NOT_MET)
    counts = Counter(
        max(found & {*order}, key=order.index, default=State.NOT_APPLICABLE)
        for found in states.values()
    )
    listed = (*order, State.NOT_APPLICABLE)
    return f"Practices: {', '.join(f'{counts[one]} {one}' for one in listed if counts[one])}."


def describe_missing_runs(assessment: Assessment) -> str:
    """Describe how many practices lack a run, and the command for it; empty if none does."""
    missing = {result.practice.name for result in assessment.results if result.command}
    if not missing or assessment.unmanaged:
        return ""
    checks = "1 check has" if len(missing) == 1 else f"{len(missing)} checks have"
    return f"{checks} not run; `uv run poe status --run` runs those that need no person."


def describe_base(assessment: Assessment) -> str:
    """Name the base of a comparison; empty if there is none."""
    if not assessment.base:
        return ""
    return f"Judged by the stricter of this policy and the one of {assessment.base}."


def describe_template(assessment: Assessment) -> str:
    """Name the version of the template, and how long the project has had it; empty if unknown."""
    template = assessment.template
    if template is None:
        return ""
    if template.since is None:
        return f"Template {template.version}, not committed yet."
    days = (datetime.now(UTC).date() - template.since).days
    age = f", {days} days ago" if days > 1 else ""
    return f"Template {template.version}, since {template.since}{age}."


def announce_way(way: Way) -> str:
    """Describe how much is left until a version is champion, and the command that lists it."""
    if [*way.commands] == way.steps[:1]:
        return f"The way to a champion: {way.steps[0]}"
    listed = "`uv run poe status --stage promotion` lists it."
    return f"The way to a champion: {way.size}; {listed}"


def describe_way(way: Way) -> str:
    """Describe what is left to do until a version is champion, a line for each step."""
    steps = (f"  {number} {step}" for number, step in enumerate(way.steps, start=1))
    return "\n".join([f"The way to a champion: {way.size}", *steps])


def next_steps(assessment: Assessment, most: int = 3) -> list[NextStep]:
    """Return the next things to do: what blocks soonest first, and each fix once."""
    found: dict[str, NextStep] = {}
    for when, result in _by_urgency(assessment):
        fix = result.remedy
        step = found.get(fix, NextStep(when, (), fix, ()))
        if result not in step.results:
            # A side that it blocks only later, or never, is not listed yet.
            side = (result.side,) if when == step.when else ()
            sides = tuple(dict.fromkeys((*step.sides, *side)))
            found[fix] = replace(step, sides=sides, results=(*step.results, result))
    return list(found.values())[:most]


def describe_tiers(practice: Practice, side: str) -> str:
    """Describe how much a practice is asked of a side, by level where that differs."""
    tiers = [practice.tier(side, level) for level in (0, 1, 2)]
    by_level = ", ".join(f"{tier} at level {level}" for level, tier in enumerate(tiers))
    return by_level if len({*tiers}) > 1 else f"{tiers[0]} at every level"


def percent(share: float) -> str:
    """Return a share in percent; only a whole one is 100 %."""
    return f"{int(share * 100 + 1e-9)} %"


def practice_link(practice: Practice) -> str:
    """Return where the site of `uv run poe docs` explains a practice."""
    return f"site/practices.html#{practice.name.replace('/', '')}"


def _by_urgency(assessment: Assessment) -> Iterator[tuple[str, PracticeResult]]:
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
    # What one command shows comes before what has to be built.
    advice.sort(key=lambda one: (TIERS.index(one.tier), one.state is not State.NOT_SHOWN))
    yield from ((f"advice, {result.tier}", result) for result in advice)
