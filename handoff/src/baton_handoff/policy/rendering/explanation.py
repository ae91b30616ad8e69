"""One practice on a terminal: why, what each side is asked, what was found, what to do."""

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.suggestions import similar_name
from baton_handoff.policy.practices.assessment import Assessment
from baton_handoff.policy.practices.practice import Practice
from baton_handoff.policy.practices.stages import STAGES
from baton_handoff.policy.rendering import summary
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.reporting.terminal_style import TerminalStyle, render_terminal

_EVERY = "`handoff status --format json` lists all of them."


def explain_practice(
    assessment: Assessment, name: str, style: TerminalStyle, *, site: bool = True
) -> str:
    """Explain a practice, by its name or title; the documentation site has more, if it is there.

    Raises:
        HandoffError: No practice has that name.
    """
    wanted = _find_name(assessment, name)
    results = [result for result in assessment.results if result.practice.name == wanted]
    return render_terminal(
        "explanation.txt",
        style,
        assessment=assessment,
        describe_acceptance=describe_acceptance,
        effect=_effect,
        practice=results[0].practice,
        results=results,
        site=site,
        summary=summary,
    )


def _find_name(assessment: Assessment, wanted: str) -> str:
    """Return the name of the practice with this name or title."""
    names: dict[str, str] = {}
    for practice in (result.practice for result in assessment.results):
        names |= {practice.title.casefold(): practice.name, practice.name.casefold(): practice.name}
    if found := names.get(wanted.strip().casefold()):
        return found
    near = similar_name(wanted, names)
    end = f"; did you mean `{names[near]}`?" if near else f": {_EVERY}"
    raise HandoffError(f"There is no practice `{wanted}`{end}")


def _effect(practice: Practice, side: str, level: int) -> str:
    """Describe what the tier means for a side at a level."""
    if practice.tier(side, level) == "not-needed":
        return "not needed"
    stage = next((one for one in STAGES if practice.blocks(side, level, one)), None)
    return f"blocks from the {stage} on" if stage else "advice"
