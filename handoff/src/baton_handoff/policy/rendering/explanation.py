"""One practice on a screen: why, how much of whom, what was seen, what to do."""

from collections.abc import Iterator
from difflib import get_close_matches

from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.practices.assessment import Outcome, Standing, State
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
    standing: Standing, name: str, look: TerminalStyle, *, site: bool = True
) -> str:
    """What there is to know about a practice.

    Args:
        standing: Where the project stands.
        name: The practice's name, or its title.
        look: What the terminal can show.
        site: Whether the site that says more has been made.

    Raises:
        HandoffError: No practice has that name.
    """
    wanted = _named(standing, name)
    outcomes = [outcome for outcome in standing.outcomes if outcome.practice.name == wanted]
    practice = outcomes[0].practice
    lines = [
        *(look.paint(line, "bold") for line in look.paragraph(practice.title)),
        *(
            look.paint(line, "dim")
            for line in look.paragraph(f"{practice.name} · {practice.section}")
        ),
        "",
        *look.paragraph(practice.why),
        "",
        *_facts(practice, standing.level, look),
    ]
    if standing.unadopted:
        said = "brings it" if practice.brought else "helps; it stays people's work"
        lines += look.paragraph(said, f"{'adopting Baton:':<18}")
    for outcome in outcomes:
        lines += ["", *_seen(outcome, look)]
    if standing.unadopted is None:
        made = "" if site else ", once `uv run poe docs` has made it"
        lines += ["", *look.paragraph(f"{practice_link(practice)}{made}", "More: ")]
    return look.encoded("\n".join(lines))


def _named(standing: Standing, said: str) -> str:
    """The name of the practice that somebody means who says its name, or its title."""
    names: dict[str, str] = {}
    for practice in (outcome.practice for outcome in standing.outcomes):
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


def _seen(outcome: Outcome, look: TerminalStyle) -> Iterator[str]:
    sign = _SIGNS.get(outcome.state, "·")
    colour = {"✓": "green", "✗": "red"}.get(sign, "yellow")
    yield look.paint(f"{sign} {clean(outcome.side)}: {outcome.state}", "bold", colour)
    yield from look.paragraph(outcome.says, "  ")
    for finding in outcome.findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        yield from look.paragraph(
            f"{place}: {finding.message}" if place else finding.message, "  · "
        )
    if accepted := describe_acceptance(outcome):
        yield from look.paragraph(accepted, "  ")
    if not outcome.reached:
        yield from look.paragraph(outcome.fix or outcome.practice.fix, "  → ")
