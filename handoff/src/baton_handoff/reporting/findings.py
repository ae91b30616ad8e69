"""A finding: one thing that a check saw, who has to act on it, and every way to show it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

Format: TypeAlias = Literal["terminal", "markdown", "json", "sarif", "github", "gitlab", "azure"]

_NOWHERE = "handoff.toml"
"""Where a finding stands that is in no file, for those who show nothing without a place."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check saw.

    Attributes:
        check: The check, `contract-version` for example.
        message: What is wrong, or what is worth knowing, in a sentence.
        blocks: Whether it has to be mended before the change may go on.
        side: Who has to act, None where it is nobody's alone, or nobody has to.
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


def render(findings: Sequence[Finding], output_format: Format, when_empty: str) -> str:
    """Render all findings in one format.

    Args:
        findings: The findings.
        output_format: The format; `github` and `azure` are annotations for a pipeline's log,
            `gitlab` is its report of code quality.
        when_empty: The text for people if there is no finding.
    """
    match output_format:
        case "json":
            return json.dumps([asdict(finding) for finding in findings], indent=2)
        case "sarif":
            return json.dumps(_sarif(findings), indent=2)
        case "gitlab":
            return json.dumps(_code_quality(findings), indent=2)
        case "terminal":
            return _spaced([_paragraph(finding) for finding in findings]) or when_empty
        case "markdown" | "github" | "azure":
            return "\n".join(map(_LINES[output_format], findings)) or when_empty


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
    return f"::{kind}{place}::{_escaped(_said(finding))}"


def _escaped(text: str) -> str:
    """As GitHub's own toolkit writes it, for a command is one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _issue(finding: Finding) -> str:
    """Azure's command for the same; it has no kind below a warning."""
    if finding.met:
        return f"##[section]{_vso(_said(finding))}"
    kind = "error" if finding.blocks else "warning"
    place = (
        f";sourcepath={_vso(finding.file)};linenumber={finding.line or 1}" if finding.file else ""
    )
    return f"##vso[task.logissue type={kind}{place}]{_vso(_said(finding))}"


def _vso(text: str) -> str:
    """As Azure's own library writes it."""
    for sign, written in (("%", "%AZP25"), (";", "%3B"), ("]", "%5D")):
        text = text.replace(sign, written)
    return text.replace("\r", "%0D").replace("\n", "%0A")


def _code_quality(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """GitLab's report; the same finding is the same in the next change."""
    return [
        {
            "description": _said(finding),
            "check_name": finding.check,
            "fingerprint": _fingerprint(finding),
            "severity": "major" if finding.blocks else "info",
            "location": {
                "path": finding.file or _NOWHERE,
                "lines": {"begin": finding.line or 1},
            },
        }
        for finding in findings
        if not finding.met
    ]


def _sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """Static Analysis Results Interchange Format 2.1.0, which providers and editors read."""
    rules = list(dict.fromkeys(finding.check for finding in findings))
    return {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "handoff", "rules": [{"id": name} for name in rules]}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, rules) for finding in findings],
            }
        ],
    }


def _result(finding: Finding, rules: Sequence[str]) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": quote(finding.file or _NOWHERE)},
        "region": {"startLine": finding.line or 1},
    }
    return {
        "ruleId": finding.check,
        "ruleIndex": rules.index(finding.check),
        "kind": "pass" if finding.met else "fail",
        "level": "none" if finding.met else "error" if finding.blocks else "note",
        "message": {"text": _said(finding)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"handoff/v1": _fingerprint(finding)},
        "properties": {"side": finding.side or "", "fix": finding.fix},
    }


def _said(finding: Finding) -> str:
    return " ".join(filter(None, [finding.message, *finding.evidence, finding.fix]))


def _fingerprint(finding: Finding) -> str:
    """What stays where lines move."""
    parts = [finding.check, finding.side or "", finding.file or "", finding.message]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line}" if finding.line else str(finding.file)


_LINES: Mapping[str, Callable[[Finding], str]] = {
    "markdown": _item,
    "github": _annotation,
    "azure": _issue,
}
