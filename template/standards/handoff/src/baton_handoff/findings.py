"""A finding: one thing that a check saw, who has to act on it, and every way to show it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

Format: TypeAlias = Literal["terminal", "markdown", "json", "github"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check saw.

    Attributes:
        check: The check, `contract-version` for example.
        message: What is wrong, or what is worth knowing, in a sentence.
        blocks: Whether it has to be mended before the change may go on.
        side: Who has to act, None where nobody has to.
        file: Where it is, relative to the project, None where it is in no file.
        line: The line, from 1, likewise.
        fix: What to do, empty where there is nothing to do.
        evidence: What it rests on, a line each.
        met: Whether it is as it should be, and shown for completeness.
    """

    check: str
    message: str
    blocks: bool
    side: str | None = None
    file: str | None = None
    line: int | None = None
    fix: str = ""
    evidence: tuple[str, ...] = ()
    met: bool = False


def shown(findings: Sequence[Finding], how: Format, nothing: str) -> str:
    """All findings in one format.

    Args:
        findings: What to show.
        how: The format; `github` is annotations for a workflow's log.
        nothing: What to say to people when there is no finding.
    """
    match how:
        case "json":
            return json.dumps([asdict(finding) for finding in findings], indent=2)
        case "github":
            return "\n".join(map(_annotation, findings)) or nothing
        case "markdown":
            return "\n".join(map(_item, findings)) or nothing
        case "terminal":
            return _spaced([_paragraph(finding) for finding in findings]) or nothing


def _spaced(paragraphs: Sequence[str]) -> str:
    """Paragraphs with a line between them, but for those that are one line each."""
    text = ""
    for before, after in pairwise(["\n", *paragraphs]):
        short = "\n" not in before + after
        text += ("\n" if short else "\n\n") + after
    return text.strip("\n")


def _paragraph(finding: Finding) -> str:
    mark = "✗" if finding.blocks else "✓" if finding.met else "·"
    for_whom = f"  [{finding.side}]" if finding.side else ""
    lines = [f"{mark} {finding.message}{for_whom}"]
    if finding.file:
        lines.append(f"    {_place(finding)}")
    lines += [f"    {line}" for line in finding.evidence]
    if finding.fix:
        lines.append(f"    → {finding.fix}")
    return "\n".join(lines)


def _item(finding: Finding) -> str:
    mark = "❌" if finding.blocks else "✅" if finding.met else "ℹ️"  # noqa: RUF001
    for_whom = f" **{finding.side}**" if finding.side else ""
    place = f" (`{_place(finding)}`)" if finding.file else ""
    lines = [f"- {mark}{for_whom} {finding.message}{place}"]
    lines += [f"  - {line}" for line in finding.evidence]
    if finding.fix:
        lines.append(f"  - → {finding.fix}")
    return "\n".join(lines)


def _annotation(finding: Finding) -> str:
    """GitHub's command for a message at a line of a change."""
    kind = "error" if finding.blocks else "notice"
    file = _escaped(finding.file or "").replace(":", "%3A").replace(",", "%2C")
    place = f" file={file},line={finding.line or 1}" if file else ""
    said = " ".join(filter(None, [finding.message, *finding.evidence, finding.fix]))
    return f"::{kind}{place}::{_escaped(said)}"


def _escaped(text: str) -> str:
    """As GitHub's own toolkit writes it, for a command is one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line}" if finding.line else str(finding.file)
