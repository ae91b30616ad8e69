"""Where a project stands, on one screen of a terminal."""

from collections.abc import Iterator, Sequence

from baton_handoff.policy.practices.assessment import Assessment, PracticeResult, State
from baton_handoff.policy.practices.practice import Practice, Stage
from baton_handoff.policy.rendering import adoption as adopting
from baton_handoff.policy.rendering.open_findings import describe_acceptance
from baton_handoff.policy.rendering.summary import (
    HIGHEST,
    LEFT_OPEN,
    LOOSENED,
    WHEN,
    NextStep,
    accepted_results,
    blocking_counts,
    describe_base,
    describe_levels,
    next_steps,
    sides_of,
    unmentioned_file,
)
from baton_handoff.reporting.findings import Finding
from baton_handoff.reporting.terminal_style import TerminalStyle, clean, fitted

_HALF = 0.5
_GATES = (
    "`uv run poe promote candidate --dry-run` shows what a promotion asks beside practices: the"
    " model card, an approval, …"
)


def terminal_report(assessment: Assessment, look: TerminalStyle, stage: Stage | None = None) -> str:
    """What is reached, what blocks, and what to do next.

    Args:
        assessment: Where the project stands; `only` and `ahead` narrow it and look ahead.
        look: What the terminal can show.
        stage: The stage of which everything that blocks is listed, None where only counts are.
    """
    blocks = [
        list(_head(assessment, look)),
        list(_looked_at(assessment, look)),
        list(_bars(assessment, look)),
        list(_counts(assessment, look)),
        list(_blocking(assessment, look, stage)) if stage else [],
        list(_found(LEFT_OPEN, assessment.change_findings, look)),
        list(_seen_by_reading(assessment, look)) if assessment.unmanaged else [],
        list(_next(next_steps(assessment), look)),
        list(_exceptions(accepted_results(assessment), look)),
        list(_found(LOOSENED, assessment.loosened, look)),
        list(_adopting(assessment, look)),
    ]
    return look.encoded("\n\n".join("\n".join(lines) for lines in blocks if lines))


def _head(assessment: Assessment, look: TerminalStyle) -> Iterator[str]:
    earned = assessment.earned()
    name = fitted(assessment.project, min(len(clean(assessment.project)), look.width - 50))
    dots = " ".join("●" if level <= earned else "○" for level in range(HIGHEST + 1))
    colour = "green" if earned >= assessment.level else "yellow"
    said = describe_levels(assessment)
    space = " " * (look.width - len(name) - len(said) - len(dots) - 2)
    yield look.paint(name, "bold") + space + look.paint(f"{said}  {dots}", "bold", colour)
    if assessment.base:
        yield from (
            look.paint(line, "dim") for line in look.paragraph(describe_base(assessment), "")
        )


def _bars(assessment: Assessment, look: TerminalStyle) -> Iterator[str]:
    sides = sides_of(assessment)
    if not sides:
        return
    name = 24
    # Before each bar stand two spaces, behind it six signs of a share; the level closes the line.
    bar = min(20, (look.width - name - len("  level 0")) // len(sides) - 8)
    yield look.paint(
        " " * name + "".join(f"  {fitted(side, bar + 6)}" for side in sides).rstrip(), "dim"
    )
    for section in assessment.sections():
        shares = "".join(f"  {_bar(assessment.share(section, side), bar, look)}" for side in sides)
        level = assessment.earned(section)
        colour = "green" if level >= assessment.level else "yellow"
        yield fitted(section, name) + shares + look.paint(f"  level {level}", colour)


def _bar(share: float | None, width: int, look: TerminalStyle) -> str:
    if share is None:
        return look.paint("·".ljust(width + 6), "dim")
    # Only what is whole looks whole, and what is begun looks begun.
    full = width if share == 1 else min(width - 1, max(int(share > 0), int(share * width)))
    colour = "green" if share == 1 else "yellow" if share >= _HALF else "red"
    rest = look.paint("░" * (width - full), "dim")
    return f"{look.paint('█' * full, colour)}{rest}{percent(share):>6}"


def percent(share: float) -> str:
    """A share in percent; only what is whole is a hundred."""
    return f"{int(share * 100 + 1e-9)} %"


def _counts(assessment: Assessment, look: TerminalStyle) -> Iterator[str]:
    said = " · ".join(
        look.paint(f"{number} {when}", *(["red", "bold"] if number and not place else []))
        for place, (when, number) in enumerate(blocking_counts(assessment).items())
    )
    title = "Open" if assessment.unmanaged else "Blocks"
    yield f"{look.paint(title, 'bold')}  {said}"


def _blocking(assessment: Assessment, look: TerminalStyle, stage: Stage) -> Iterator[str]:
    yield look.paint(f"Blocks {WHEN[stage]}", "bold")
    found = assessment.blocking(stage)
    if not found:
        yield "  nothing"
    alike: dict[tuple[str, State, str], list[PracticeResult]] = {}
    for result in found:
        key = result.practice.name, result.state, result.message
        alike.setdefault(key, []).append(result)
    for (_, state, says), results in alike.items():
        sides = ", ".join(result.side for result in results)
        yield from _named(results[0].practice, f" [{sides}, {state}]: {says}", look, "  ✗ ")
    if stage == "promotion" and assessment.unmanaged is None:
        yield from look.paragraph(_GATES, "  · ")


def _next(todo: Sequence[NextStep], look: TerminalStyle) -> Iterator[str]:
    if not todo:
        yield look.paint("Nothing is left to do.", "green")
        return
    yield look.paint("Next", "bold")
    for place, step in enumerate(todo, 1):
        first = step.results[0]
        others = len({one.practice.name for one in step.results} - {first.practice.name})
        more = f" (and {others} more)" if others else ""
        whose = f"{', '.join(step.sides)} · {step.when}"
        yield f"  {place} {look.paint(clean(whose), 'cyan')}"
        yield from _named(first.practice, f": {step.says}{more}", look, "    ")
        for line in look.paragraph(step.fix, "    → ", "      "):
            yield look.paint(line, "bold")


def _named(practice: Practice, said: str, look: TerminalStyle, first: str) -> Iterator[str]:
    """A sentence behind a practice's title and, less loud, its name."""
    name = clean(f"({practice.name})")
    for line in look.paragraph(f"{practice.title} {name}{said}", first):
        yield line.replace(name, look.paint(name, "dim"))


def _exceptions(found: Sequence[PracticeResult], look: TerminalStyle) -> Iterator[str]:
    if not found:
        return
    yield look.paint(f"Accepted although not met ({len(found)})", "bold")
    for result in found:
        said = f" [{result.side}]: {describe_acceptance(result)}"
        yield from _named(result.practice, said, look, "  · ")


def _found(title: str, found: Sequence[Finding], look: TerminalStyle) -> Iterator[str]:
    if not found:
        return
    yield look.paint(f"{title} ({len(found)})", "bold")
    for finding in found:
        mark = "✗" if finding.blocks else "·"
        whose = f" [{finding.side}]" if finding.side else ""
        file = unmentioned_file(finding)
        where = f" ({file})" if file else ""
        yield from look.paragraph(f"{finding.message}{whose}{where}", f"  {mark} ")
        if finding.fix:
            yield from look.paragraph(finding.fix, "    → ", "      ")


def _looked_at(assessment: Assessment, look: TerminalStyle) -> Iterator[str]:
    if assessment.unmanaged:
        yield from look.paragraph(adopting.looked_at(assessment.unmanaged), "Looked at  ")
        yield from look.paragraph(adopting.states(assessment), "Practices  ")


def _seen_by_reading(assessment: Assessment, look: TerminalStyle) -> Iterator[str]:
    yield look.paint("Seen by reading", "bold")
    for result in adopting.found(assessment):
        yield from _named(result.practice, f": {result.message}", look, "  ✗ ")
    if commands := adopting.shown_by(assessment):
        yield look.paint("Not shown by reading, but by", "bold")
    for command, practices in commands.items():
        yield from look.paragraph(f"{command} ({adopting.names(practices)})", "  · ")


def _adopting(assessment: Assessment, look: TerminalStyle) -> Iterator[str]:
    if assessment.unmanaged is None:
        return
    for title, groups in adopting.both(assessment):
        yield look.paint(f"{title} ({adopting.number_of(groups)})", "bold")
        for name, practices in groups.items():
            yield from look.paragraph(adopting.names(practices), f"  {name:<18} ")
    for line in look.paragraph(assessment.unmanaged.adopt, "  → "):
        yield look.paint(line, "bold")
