"""The status of a project for a terminal."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from baton_handoff.policy.practices.assessment import Assessment, PracticeResult
from baton_handoff.policy.practices.practice import Practice, Stage
from baton_handoff.policy.rendering import adoption
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.policy.rendering.summary import (
    CHANGE_FINDINGS,
    HIGHEST,
    LOOSENED,
    WHEN,
    accepted_results,
    blocking_counts,
    describe_base,
    describe_levels,
    describe_missing_runs,
    describe_progress,
    next_steps,
    percent,
    sides_of,
)
from baton_handoff.reporting.findings import Finding, single_line
from baton_handoff.reporting.terminal_style import TerminalStyle, marked_list

_BAR = 20
_GATES = (
    "`uv run poe promote candidate --dry-run` shows what a promotion requires beside the practices:"
    " the model card, an approval, …"
)


def terminal_report(
    assessment: Assessment, style: TerminalStyle, stage: Stage | None = None
) -> str:
    """Render what is met, what blocks, and what to do next.

    Args:
        assessment: The assessment of the project.
        style: The style of the terminal.
        stage: The stage whose blocking practices are listed; None to give only their number.
    """
    parts: list[RenderableType | None] = [
        _head(assessment),
        _sections(assessment, style.width),
        _counts(assessment),
        _blocking(assessment, stage) if stage else None,
        _findings(CHANGE_FINDINGS, assessment.change_findings),
        _found_by_reading(assessment),
        _next(assessment),
        _accepted(assessment),
        _findings(LOOSENED, assessment.loosened),
        _adoption(assessment),
    ]
    return style.render(*(part for part in parts if part))


def _head(assessment: Assessment) -> RenderableType:
    earned = assessment.earned()
    dots = " ".join("●" if level <= earned else "○" for level in range(HIGHEST + 1))
    title = Table.grid(expand=True, padding=(0, 2, 0, 0))
    title.add_column(ratio=1, no_wrap=True, style="bold")
    title.add_column(justify="right", style="green" if earned >= assessment.level else "yellow")
    title.add_row(single_line(assessment.project), f"{describe_levels(assessment)}  {dots}")
    known = assessment.unmanaged
    read = adoption.describe_files(known) if known else ""
    lines = [
        read,
        describe_progress(assessment),
        describe_missing_runs(assessment),
        describe_base(assessment),
    ]
    return Group(title, *(Text(single_line(line), "dim") for line in lines if line))


def _sections(assessment: Assessment, width: int) -> RenderableType | None:
    sides = sides_of(assessment)
    if not sides:
        return None
    # Beside the bars stand the names, the shares ("  99 %"), the level, and two spaces between.
    names = max(len(section) for section in assessment.sections())
    room = (width - names - len("  level 0")) // len(sides) - len("   100 %")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row("", *(Text(side, "dim") for side in sides))
    for section in assessment.sections():
        level = assessment.earned(section)
        table.add_row(
            single_line(section),
            *(_bar(assessment.share(section, side), max(3, min(_BAR, room))) for side in sides),
            Text(f"level {level}", "green" if level >= assessment.level else "yellow"),
        )
    return table


def _bar(share: float | None, width: int) -> Text:
    if share is None:
        return Text("·", "dim")
    # A bar is full only at 100 %, and not empty above 0 %.
    full = width if share == 1 else min(width - 1, max(int(share > 0), int(share * width)))
    colour = "green" if share == 1 else "yellow" if share >= 0.5 else "red"
    return Text.assemble(
        ("█" * full, colour), ("░" * (width - full), "dim"), f"{percent(share):>6}", no_wrap=True
    )


def _counts(assessment: Assessment) -> Text:
    text = Text.assemble(("Open" if assessment.unmanaged else "Blocks", "bold"), "  ")
    for place, (when, number) in enumerate(blocking_counts(assessment).items()):
        style = "bold red" if number and not place else ""
        text.append(" · " if place else "").append(f"{number} {when}", style)
    return text


def _blocking(assessment: Assessment, stage: Stage) -> RenderableType:
    alike: dict[tuple[object, ...], list[PracticeResult]] = {}
    for result in assessment.blocking(stage):
        key = result.practice.name, result.state, result.message
        alike.setdefault(key, []).append(result)
    rows: list[tuple[str, RenderableType]] = [
        ("✗", _practice(first.practice, first.message, f"{_sides(group)}, {first.state}"))
        for group in alike.values()
        for first in group[:1]
    ]
    if stage == "promotion" and assessment.unmanaged is None:
        rows.append(("·", _GATES))
    return _listed(f"Blocks {WHEN[stage]}", rows or [("", "nothing")])


def _sides(results: Iterable[PracticeResult]) -> str:
    return ", ".join(result.side for result in results)


def _next(assessment: Assessment) -> RenderableType:
    steps = next_steps(assessment)
    if not steps:
        return Text("Nothing is left to do.", "green")
    rows: list[tuple[str, RenderableType]] = []
    for number, step in enumerate(steps, 1):
        first = step.results[0].practice
        others = len(step.practices) - 1
        more = f" (and {others} more)" if others else ""
        rows += [
            (str(number), Text(single_line(f"{', '.join(step.sides)} · {step.when}"), "cyan")),
            ("", _practice(first, f"{step.message}{more}")),
            ("", Text(f"→ {single_line(step.fix)}", "bold")),
        ]
    return _listed("Next", rows)


def _practice(practice: Practice, message: str, sides: str = "") -> Text:
    """Return a message behind a practice's title and, less prominent, its name."""
    return Text.assemble(
        f"{single_line(practice.title)} ",
        (f"({single_line(practice.name)})", "dim"),
        f" [{sides}]: " if sides else ": ",
        single_line(message),
    )


def _accepted(assessment: Assessment) -> RenderableType | None:
    rows = [
        ("·", _practice(result.practice, describe_acceptance(result), result.side))
        for result in accepted_results(assessment)
    ]
    return _listed(f"Accepted although not met ({len(rows)})", rows) if rows else None


def _findings(title: str, findings: Sequence[Finding]) -> RenderableType | None:
    rows = []
    for finding in findings:
        side = f" [{finding.side}]" if finding.side else ""
        file = f" ({finding.unmentioned_file})" if finding.unmentioned_file else ""
        rows.append(("✗" if finding.blocks else "·", single_line(f"{finding.message}{side}{file}")))
        if finding.fix:
            rows.append(("", f"→ {single_line(finding.fix)}"))
    return _listed(f"{title} ({len(findings)})", rows) if rows else None


def _found_by_reading(assessment: Assessment) -> RenderableType | None:
    if assessment.unmanaged is None:
        return None
    rows = [
        ("✗", _practice(result.practice, result.message)) for result in adoption.not_met(assessment)
    ]
    commands = [
        ("·", single_line(f"{command} ({adoption.names(practices)})"))
        for command, practices in adoption.by_command(assessment).items()
    ]
    parts = [_listed("Found by reading the files", rows)]
    if commands:
        parts.append(_listed("Reading can't show these; the commands do", commands))
    return Group(*parts)


def _adoption(assessment: Assessment) -> RenderableType | None:
    if assessment.unmanaged is None:
        return None
    return Group(
        *(_groups(title, groups) for title, groups in adoption.both(assessment).items()),
        Text(f"  → {single_line(assessment.unmanaged.adopt)}", "bold"),
    )


def _groups(title: str, groups: Mapping[str, Sequence[Practice]]) -> RenderableType:
    rows = [(f"{name:<18}", adoption.names(practices)) for name, practices in groups.items()]
    return _listed(f"{title} ({adoption.number_of(groups)})", rows)


def _listed(title: str, rows: Iterable[tuple[str, RenderableType]]) -> RenderableType:
    return Group(Text(title, "bold"), marked_list(rows))
