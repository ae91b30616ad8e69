"""One practice on a terminal: why, what each side is asked, what was found, what to do."""

from collections.abc import Iterator
from difflib import get_close_matches

from rich.console import Group, RenderableType
from rich.text import Text

from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.practice import STAGES, Practice
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.policy.rendering.summary import describe_tiers, practice_link
from baton_handoff.reporting.findings import single_line
from baton_handoff.reporting.terminal_style import TerminalStyle, marked_list

_CHEAPER = {
    "before": "before the handoff",
    "after": "after the handoff",
    "either": "the same before and after the handoff",
}
_STYLES = {
    State.MET: ("✓", "green"),
    State.STATED: ("✓", "green"),
    State.NOT_MET: ("✗", "red"),
}


def explain_practice(
    assessment: Assessment, name: str, style: TerminalStyle, *, site: bool = True
) -> str:
    """Explain a practice and its results.

    Args:
        assessment: The assessment of the project.
        name: The practice's name or title.
        style: The style of the terminal.
        site: Whether the documentation site, which says more, has been built.

    Raises:
        HandoffError: No practice has that name.
    """
    wanted = _find_name(assessment, name)
    results = [result for result in assessment.results if result.practice.name == wanted]
    practice = results[0].practice
    title = Group(
        Text(single_line(practice.title), "bold"),
        Text(single_line(f"{practice.name} · {practice.section}"), "dim"),
    )
    facts = marked_list([(f"{key}:", text) for key, text in _facts(practice, assessment)], indent=0)
    parts = [title, Text(single_line(practice.why)), facts, *map(_result, results)]
    if assessment.unmanaged is None:
        built = "" if site else "; `uv run poe docs` builds it"
        parts.append(Text(f"More: {single_line(practice_link(practice))}{built}"))
    return style.render(*parts)


def _find_name(assessment: Assessment, wanted: str) -> str:
    """Return the name of the practice with this name or title."""
    names: dict[str, str] = {}
    for practice in (result.practice for result in assessment.results):
        names |= {practice.title.casefold(): practice.name, practice.name.casefold(): practice.name}
    if found := names.get(wanted.strip().casefold()):
        return found
    close = get_close_matches(wanted.casefold(), names, cutoff=0.4)
    near = dict.fromkeys(names[name] for name in close)
    hint = f"did you mean {' or '.join(near)}?"
    every = "`handoff status --format json` lists all of them."
    raise HandoffError(f"There is no practice {wanted!r}: {hint if near else every}")


def _facts(practice: Practice, assessment: Assessment) -> Iterator[tuple[str, str]]:
    level = assessment.level
    for side in practice.tiers:
        yield side, describe_tiers(practice, side)
    yield "checked", f"from the {practice.stage} on"
    effects = "; ".join(f"{side}: {_effect(practice, side, level)}" for side in practice.tiers)
    yield f"at level {level}", effects
    yield "effect", f"{practice.effect} for data science"
    yield "hurdle", practice.hurdle
    yield "cheaper", _CHEAPER[practice.cheaper]
    if practice.enforced:
        yield "enforced", "yes, at every level"
    if assessment.unmanaged:
        yield (
            "adopting Baton",
            "meets it" if practice.brought else "helps; people still have to act",
        )


def _effect(practice: Practice, side: str, level: int) -> str:
    """Describe what the tier means for a side at a level."""
    if practice.tier(side, level) == "not-needed":
        return "not needed"
    stage = next((one for one in STAGES if practice.blocks(side, level, one)), None)
    return f"blocks from the {stage} on" if stage else "advice"


def _result(result: PracticeResult) -> RenderableType:
    sign, colour = _STYLES.get(result.state, ("·", "yellow"))
    rows = [("", result.message)]
    for finding in result.findings:
        place = f"{finding.place}: " if finding.place else ""
        rows.append(("·", f"{place}{finding.message}"))
    if accepted := describe_acceptance(result):
        rows.append(("", accepted))
    if not result.reached:
        rows.append(("→", result.remedy))
    title = Text(single_line(f"{sign} {result.side}: {result.state}"), f"bold {colour}")
    return Group(title, marked_list((mark, single_line(text)) for mark, text in rows))
