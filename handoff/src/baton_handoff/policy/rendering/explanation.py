"""One practice on a screen: why, how much of whom, what was seen, what to do."""

from collections.abc import Iterator
from difflib import get_close_matches

from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.practice import STAGES, Practice, Stage
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.policy.rendering.summary import practice_link
from baton_handoff.reporting.terminal_style import TerminalStyle, clean

_CHEAPER = {
    "before": "before the handoff",
    "after": "after the handoff",
    "either": "no difference between before and after the handoff",
}
_SIGNS = {State.MET: "✓", State.STATED: "✓", State.NOT_MET: "✗"}


def explain_practice(
    assessment: Assessment, name: str, look: TerminalStyle, *, site: bool = True
) -> str:
    """What there is to know about a practice.

    Args:
        assessment: Where the project stands.
        name: The practice's name, or its title.
        look: What the terminal can show.
        site: Whether the site that says more has been made.

    Raises:
        HandoffError: No practice has that name.
    """
    wanted = _named(assessment, name)
    results = [result for result in assessment.results if result.practice.name == wanted]
    practice = results[0].practice
    lines = [
        *(look.paint(line, "bold") for line in look.paragraph(practice.title)),
        *(
            look.paint(line, "dim")
            for line in look.paragraph(f"{practice.name} · {practice.section}")
        ),
        "",
        *look.paragraph(practice.why),
        "",
        *_facts(practice, assessment.level, look),
    ]
    if assessment.unmanaged:
        said = "brings it" if practice.brought else "helps; it stays people's work"
        lines += look.paragraph(said, f"{'adopting Baton:':<18}")
    for result in results:
        lines += ["", *_seen(result, look)]
    if assessment.unmanaged is None:
        made = "" if site else ", once `uv run poe docs` has made it"
        lines += ["", *look.paragraph(f"{practice_link(practice)}{made}", "More: ")]
    return look.encoded("\n".join(lines))


def _named(assessment: Assessment, said: str) -> str:
    """The name of the practice that somebody means who says its name, or its title."""
    names: dict[str, str] = {}
    for practice in (result.practice for result in assessment.results):
        names |= {practice.title.casefold(): practice.name, practice.name.casefold(): practice.name}
    if found := names.get(said.strip().casefold()):
        return found
    close = get_close_matches(said.casefold(), names, cutoff=0.4)
    near = dict.fromkeys(names[one] for one in close)
    all_ = "`handoff status --format json` names them all."
    may = f"did you mean {' or '.join(near)}?" if near else all_
    raise HandoffError(f"There is no practice {said!r}: {may}")


def _facts(practice: Practice, level: int, look: TerminalStyle) -> Iterator[str]:
    for side in practice.tiers:
        by_level = [practice.tier(side, each) for each in (0, 1, 2)]
        levels = ", ".join(f"{tier} at level {each}" for each, tier in enumerate(by_level))
        said = levels if len(set(by_level)) > 1 else f"{by_level[0]} at every level"
        yield from look.paragraph(said, f"{side + ':':<18}")
    yield from look.paragraph(_from(practice.stage), f"{'looked at:':<18}")
    binds = "; ".join(f"{side}: {_binds(practice, side, level)}" for side in practice.tiers)
    yield from look.paragraph(binds, f"{f'at level {level}:':<18}")
    hurdle = "none" if practice.hurdle == "none" else f"{practice.hurdle} keeps people from it"
    yield from look.paragraph(f"{practice.effect} for data science", f"{'effect:':<18}")
    yield from look.paragraph(hurdle, f"{'hurdle:':<18}")
    yield from look.paragraph(_CHEAPER[practice.cheaper], f"{'cheaper:':<18}")
    if practice.enforced:
        yield from look.paragraph("yes, whatever the level says", f"{'enforced:':<18}")


def _binds(practice: Practice, side: str, level: int) -> str:
    """What its tier means for a side at a level."""
    if practice.tier(side, level) == "not-needed":
        return "nothing is asked"
    stage = next((one for one in STAGES if practice.blocks(side, level, one)), None)
    return f"blocks {_from(stage)}" if stage else "advice"


def _from(stage: Stage) -> str:
    return "at the promotion" if stage == STAGES[-1] else f"from the {stage} on"


def _seen(result: PracticeResult, look: TerminalStyle) -> Iterator[str]:
    sign = _SIGNS.get(result.state, "·")
    colour = {"✓": "green", "✗": "red"}.get(sign, "yellow")
    yield look.paint(f"{sign} {clean(result.side)}: {result.state}", "bold", colour)
    yield from look.paragraph(result.message, "  ")
    for finding in result.findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        yield from look.paragraph(
            f"{place}: {finding.message}" if place else finding.message, "  · "
        )
    if accepted := describe_acceptance(result):
        yield from look.paragraph(accepted, "  ")
    if not result.reached:
        yield from look.paragraph(result.fix or result.practice.fix, "  → ")
