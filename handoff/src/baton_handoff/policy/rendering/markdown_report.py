"""Where a project stands, as one comment under a change."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from html import escape

from baton_handoff.policy.practices.assessment import Standing
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


def markdown_report(standing: Standing, stage: Stage = "push") -> str:
    """The level, what blocks, the next things to do; the rest opens when it is asked for.

    Args:
        standing: Where the project stands.
        stage: The stage that decides what blocks.
    """
    findings = open_findings(standing, stage)
    blocking = [finding for finding in findings if finding.blocks]
    others = [f for f in findings if not f.blocks and f not in standing.loosened]
    sign = "🔎" if standing.unadopted else "❌" if blocking else "✅"
    said = " · ".join(f"**{number}** {when}" for when, number in blocking_counts(standing).items())
    names = {outcome.practice.name for outcome in standing.outcomes}
    parts = [
        MARKER,
        f"### {sign} {inline(standing.project)}: {describe_levels(standing)}",
        inline(describe_base(standing)),
        "\n".join(_looked_at(standing)),
        f"{'Open' if standing.unadopted else 'What blocks'}: {said}",
        "\n".join(_next(standing)),
        "\n".join(_items(blocking, names)),
        "\n".join(_loosened(standing)),
        "\n".join(_adopting(standing)),
        _folded("Sections", list(_table(standing))),
        _folded(_open(standing, others), _items(others, names)),
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


def _open(standing: Standing, others: Sequence[Finding]) -> str:
    covered = {(outcome.practice.name, outcome.side) for outcome in accepted_results(standing)}
    accepted = sum((one[0].check, one[0].side) in covered for one in _together(others))
    return f"{len(_together(others)) - accepted} open, {accepted} accepted although not met"


def _next(standing: Standing) -> Iterator[str]:
    for place, step in enumerate(next_steps(standing), 1):
        first = step.outcomes[0]
        whose = f"**{inline(', '.join(step.sides))}** ({step.when})"
        said = f"{inline(practice_label(first.practice))}: {inline(step.says)}"
        yield f"{place}. {whose}: {said}<br>→ {inline(step.fix)}"


def _loosened(standing: Standing) -> Iterator[str]:
    if standing.loosened:
        yield f"**{LOOSENED}**\n"
        yield from _items(standing.loosened)


def _looked_at(standing: Standing) -> Iterator[str]:
    if standing.unadopted:
        yield f"Looked at: {adopting.looked_at(standing.unadopted)}. {adopting.states(standing)}."


def _adopting(standing: Standing) -> Iterator[str]:
    if not standing.unadopted:
        return
    for title, groups in adopting.both(standing):
        yield f"**{title} ({adopting.number_of(groups)})**\n"
        for name, practices in groups.items():
            yield f"- {name}: {inline(adopting.names(practices))}"
        yield ""
    yield f"→ {inline(f'`{standing.unadopted.adopt}`')}"


def _table(standing: Standing) -> Iterator[str]:
    sides = sides_of(standing)
    yield " | ".join(["| section", *map(inline, sides), "level |"])
    yield "|---" * (len(sides) + 2) + "|"
    for section in standing.sections():
        shares = [_share(standing.share(section, side)) for side in sides]
        yield " | ".join([f"| {inline(section)}", *shares, f"{standing.earned(section)} |"])


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
