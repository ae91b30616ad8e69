"""Where a project stands, as one comment under a change."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from html import escape

from baton_handoff.policy.practices.assessment import Assessment
from baton_handoff.policy.practices.practice import Stage
from baton_handoff.policy.rendering import adoption as adopting
from baton_handoff.policy.rendering.open_findings import open_findings
from baton_handoff.policy.rendering.summary import (
    LOOSENED,
    accepted_results,
    blocking_counts,
    describe_base,
    describe_levels,
    next_steps,
    practice_label,
    sides_of,
)
from baton_handoff.policy.rendering.terminal_report import percent
from baton_handoff.reporting.findings import Finding
from baton_handoff.reporting.terminal_style import clean

MARKER = "<!-- baton: handoff status -->"
"""The first line of the comment, by which the next run finds it again."""

_BAR = 10
_MOST = 100


def markdown_report(assessment: Assessment, stage: Stage = "push") -> str:
    """The level, what blocks, the next things to do; the rest opens when it is asked for.

    Args:
        assessment: Where the project stands.
        stage: The stage that decides what blocks.
    """
    findings = open_findings(assessment, stage)
    blocking = [finding for finding in findings if finding.blocks]
    others = [f for f in findings if not f.blocks and f not in assessment.loosened]
    sign = "🔎" if assessment.unmanaged else "❌" if blocking else "✅"
    said = " · ".join(
        f"**{number}** {when}" for when, number in blocking_counts(assessment).items()
    )
    names = {result.practice.name for result in assessment.results}
    parts = [
        MARKER,
        f"### {sign} {inline(assessment.project)}: {describe_levels(assessment)}",
        inline(describe_base(assessment)),
        "\n".join(_looked_at(assessment)),
        f"{'Open' if assessment.unmanaged else 'What blocks'}: {said}",
        "\n".join(_next(assessment)),
        "\n".join(_items(blocking, names)),
        "\n".join(_loosened(assessment)),
        "\n".join(_adopting(assessment)),
        _folded("Sections", list(_table(assessment))),
        _folded(_open(assessment, others), _items(others, names)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def inline(text: str) -> str:
    """A sentence that stays a sentence, whatever is in it; what stands in backticks is code."""
    pieces = re.split(r"(`[^`]+`)", clean(text))
    return "".join(
        # A bar would end a table's cell, in code too.
        piece.replace("|", "\\|") if place % 2 else _plain(piece)
        for place, piece in enumerate(pieces)
    )


def _plain(text: str) -> str:
    marked = re.sub(r"([\\`*_\[\]|~#])", r"\\\1", text)
    # Mention nobody, and link no other thread.
    return escape(marked, quote=False).replace("@", "&#64;").replace("://", ":&#47;/")


def _open(assessment: Assessment, others: Sequence[Finding]) -> str:
    covered = {(result.practice.name, result.side) for result in accepted_results(assessment)}
    accepted = sum((one[0].check, one[0].side) in covered for one in _together(others))
    return f"{len(_together(others)) - accepted} open, {accepted} accepted although not met"


def _next(assessment: Assessment) -> Iterator[str]:
    for place, step in enumerate(next_steps(assessment), 1):
        first = step.results[0]
        whose = f"**{inline(', '.join(step.sides))}** ({step.when})"
        said = f"{inline(practice_label(first.practice))}: {inline(step.says)}"
        yield f"{place}. {whose}: {said}<br>→ {inline(step.fix)}"


def _loosened(assessment: Assessment) -> Iterator[str]:
    if assessment.loosened:
        yield f"**{LOOSENED}**\n"
        yield from _items(assessment.loosened)


def _looked_at(assessment: Assessment) -> Iterator[str]:
    if assessment.unmanaged:
        looked_at = adopting.looked_at(assessment.unmanaged)
        yield f"Looked at: {looked_at}. {adopting.states(assessment)}."


def _adopting(assessment: Assessment) -> Iterator[str]:
    if not assessment.unmanaged:
        return
    for title, groups in adopting.both(assessment):
        yield f"**{title} ({adopting.number_of(groups)})**\n"
        for name, practices in groups.items():
            yield f"- {name}: {inline(adopting.names(practices))}"
        yield ""
    yield f"→ {inline(f'`{assessment.unmanaged.adopt}`')}"


def _table(assessment: Assessment) -> Iterator[str]:
    sides = sides_of(assessment)
    yield " | ".join(["| section", *map(inline, sides), "level |"])
    yield "|---" * (len(sides) + 2) + "|"
    for section in assessment.sections():
        shares = [_share(assessment.share(section, side)) for side in sides]
        yield " | ".join([f"| {inline(section)}", *shares, f"{assessment.earned(section)} |"])


def _share(share: float | None) -> str:
    if share is None:
        return "·"
    full = int(share * _BAR)
    return f"{'█' * full}{'░' * (_BAR - full)} {percent(share)}"


def _items(findings: Sequence[Finding], names: Collection[str] = ()) -> list[str]:
    """One line each, and no more than a provider takes in a comment; `names` are of practices."""
    found = _together(findings)
    lines = [_item(several, names) for several in found[:_MOST]]
    if more := len(found) - len(lines):
        lines.append(f"- and {more} more: `uv run poe status --html status.html` has all")
    return lines


def _together(findings: Sequence[Finding]) -> list[list[Finding]]:
    """The same findings, those that differ only in whose they are in one place."""
    found: dict[Finding, list[Finding]] = {}
    for finding in findings:
        found.setdefault(replace(finding, side=None), []).append(finding)
    return [*found.values()]


def _item(several: Sequence[Finding], names: Collection[str]) -> str:
    """A finding of one side, or the same of several."""
    finding = several[0]
    mark = "❌" if finding.blocks else "·"
    where = ""
    if finding.file:
        where = f" ({inline(finding.file)}{f':{finding.line}' if finding.line else ''})"
    fix = f" → {inline(finding.fix)}" if finding.fix else ""
    sides = ", ".join(dict.fromkeys(one.side for one in several if one.side))
    whose = f" **{inline(sides)}**" if sides else ""
    name = f" {inline(f'`{finding.check}`')}" if finding.check in names else ""
    return f"- {mark}{whose}{name} {inline(finding.message)}{where}{fix}"


def _folded(title: str, lines: Sequence[str]) -> str:
    """A part that is closed at first; the empty line lets Markdown be read in it."""
    if not lines:
        return ""
    text = "\n".join(lines)
    return f"<details><summary>{escape(title)}</summary>\n\n{text}\n\n</details>"
