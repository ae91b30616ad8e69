"""The status of a project for a terminal."""

from baton_handoff.policy.practices.assessment import Assessment
from baton_handoff.policy.practices.stages import Stage
from baton_handoff.policy.rendering import adoption, summary
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.reporting.terminal_style import TerminalStyle, render_terminal

_BAR = 20


def terminal_report(
    assessment: Assessment, style: TerminalStyle, stage: Stage | None = None
) -> str:
    """Render what is met and what to do next; with a stage, list what blocks at it."""
    # Beside the bars are the names, the shares (" 100 %"), the level, and spaces between.
    names = max(map(len, assessment.sections()), default=0)
    sides = len(summary.sides_of(assessment)) or 1
    width = max(3, min(_BAR, (style.width - names - len("  level 0")) // sides - len("   100 %")))

    def bar(share: float | None) -> str:
        if share is None:
            return "·"
        # A bar is full only at 100 %, and not empty above 0 %.
        full = width if share == 1 else min(width - 1, max(int(share > 0), int(share * width)))
        return f"{'█' * full}{'░' * (width - full)} {summary.percent(share)}"

    return render_terminal(
        "status.txt",
        style,
        adoption=adoption,
        assessment=assessment,
        bar=bar,
        describe_acceptance=describe_acceptance,
        stage=stage,
        summary=summary,
    )
