"""The brief as text for a terminal and as a self-contained page with the graph of its data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from baton_handoff.notebooks.briefing.brief import Brief
from baton_handoff.notebooks.briefing.data_flow import Arrow
from baton_handoff.notebooks.briefing.work_list import CONTRACT, FUNCTION, RUN
from baton_handoff.reporting.findings import Finding
from baton_handoff.reporting.pages import render_html
from baton_handoff.reporting.terminal_style import TerminalStyle, render_terminal

_SECTIONS = {FUNCTION: "Functions to make", CONTRACT: "Contracts to write", RUN: "The run"}

ROW, LANE = 56, 14
"""The height of a cell and the width of a lane in the graph, in pixels."""


@dataclass(frozen=True)
class Curve:
    """An arrow of the graph.

    Attributes:
        path: The line, as SVG has it.
        head: The corners of its head.
        arrow: The arrow.
    """

    path: str
    head: str
    arrow: Arrow

    @property
    def text(self) -> str:
        """What it shows, in words."""
        return (
            f"{', '.join(self.arrow.names)}: cell {self.arrow.source} to cell {self.arrow.target}"
        )


def curves(arrows: Sequence[Arrow]) -> tuple[list[Curve], int]:
    """The arrows left of the cells, the short ones next to them, and the width of all in pixels."""
    ordered = sorted(arrows, key=lambda one: (abs(one.target - one.source), one.source))
    lanes: list[list[tuple[float, float]]] = []
    placed = []
    for one in ordered:
        # The lower half of a cell is for what it makes, the upper for what it takes.
        begin, end = (one.source - 0.3) * ROW, (one.target - 0.7) * ROW
        top, bottom = min(begin, end), max(begin, end)
        lane = next(
            (n for n, used in enumerate(lanes) if all(bottom < a or b < top for a, b in used)),
            len(lanes),
        )
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((top, bottom))
        placed.append((one, lane, begin, end))
    width = (len(lanes) + 2) * LANE
    found = []
    for one, lane, begin, end in placed:
        x = width - (lane + 2) * LANE
        bend = 6 if end > begin else -6
        path = (
            f"M{width} {begin:.0f}H{x + 6}Q{x} {begin:.0f} {x} {begin + bend:.0f}"
            f"V{end - bend:.0f}Q{x} {end:.0f} {x + 6} {end:.0f}H{width - 6}"
        )
        head = f"{width - 7},{end - 4:.0f} {width},{end:.0f} {width - 7},{end + 4:.0f}"
        found.append(Curve(path, head, one))
    return found, width


def page(brief: Brief, work: Sequence[Finding], at: str) -> str:
    """The page.

    Args:
        brief: The brief.
        work: Its work list.
        at: The time of the brief, for its header.
    """
    drawn, width = curves(brief.arrows)
    sections = {
        # The title names the file.
        heading: [replace(one, file=None) for one in work if one.check == check]
        for check, heading in _SECTIONS.items()
    }
    return render_html(
        "brief.html",
        brief=brief,
        at=at,
        curves=drawn,
        width=width,
        row=ROW,
        sections=sections,
    )


def text(brief: Brief, style: TerminalStyle) -> str:
    """What each cell does, for a terminal."""
    return render_terminal("brief.txt", style, brief=brief)
