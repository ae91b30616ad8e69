"""Findings, and every format in which they are rendered."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import quote

Format: TypeAlias = Literal["terminal", "markdown", "json", "sarif", "github", "gitlab", "azure"]

_DEFAULT_FILE = "handoff.toml"
"""The file of a finding that is in none, for formats that require one."""


@dataclass(frozen=True)
class Finding:
    """One problem that a check found, or a fact worth knowing.

    Attributes:
        check: The check, `contract-version` for example.
        message: The problem or the fact, one sentence.
        blocks: Whether it must be fixed before the change may go on.
        side: The side that has to act, None if no single side has to.
        file: The file, relative to the project, None if it is in no file.
        line: The line, from 1, None likewise; in a cell of a notebook if there is one.
        fix: What to do, empty if there is nothing to do.
        evidence: What the finding is based on, one item a line.
        met: Whether all is well, and the finding only completes a list.
        cell: The number of the code cell of a notebook, from 1, None if it is in no cell.
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
    cell: int | None = None

    def __post_init__(self) -> None:
        """Escape the bytes of file names that are not UTF-8: no format can contain them."""
        for name in ("message", "file", "fix"):
            object.__setattr__(self, name, _encodable(getattr(self, name)))
        object.__setattr__(self, "evidence", tuple(map(_encodable, self.evidence)))

    @property
    def place(self) -> str:
        """The file with the line or the cell, as far as they are known."""
        return place(self.file, self.line, self.cell)

    @property
    def file_line(self) -> int:
        """The line in the file for formats that require one; no cell has one."""
        return 1 if self.cell else self.line or 1

    @property
    def full_text(self) -> str:
        """All that a person needs, the acting side first, for formats with one text a finding."""
        side = f"[{self.side}]" if self.side else ""
        cell = f"{cell_place(self.line, self.cell)}:" if self.cell else ""
        sentences = map(_sentence, filter(None, [self.message, *self.evidence, self.fix]))
        return " ".join(filter(None, [side, cell, *sentences]))

    @property
    def unmentioned_file(self) -> str:
        """The file, empty if the message mentions it."""
        return "" if self.file is None or self.file in self.message else self.file


def _sentence(text: str) -> str:
    """End a text, which may be another tool's, so that another sentence can follow."""
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."


def place(file: str | None, line: int | None, cell: int | None = None) -> str:
    """The file with the line or the cell, as far as they are known."""
    if cell:
        return f"{file}, {cell_place(line, cell)}"
    return f"{file}:{line}" if file and line else file or ""


def cell_place(line: int | None, cell: int) -> str:
    """A cell of a notebook with the line in it, if it is known."""
    return f"cell {cell}, line {line}" if line else f"cell {cell}"


T = TypeVar("T", str, None)


def _encodable(text: T) -> T:
    r"""A text in which `\xe9` stands for a byte that git has read from a name in Latin-1."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def single_line(text: str) -> str:
    """Return a text on one line, without the control characters that a terminal obeys."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return re.sub(r" +", " ", printable).strip()


def render(
    findings: Sequence[Finding], output_format: Format, when_empty: str, home: str = _DEFAULT_FILE
) -> str:
    """Render findings in one format.

    Args:
        findings: The findings.
        output_format: The format; `github` and `azure` are annotations for the log of a pipeline,
            `gitlab` is its code quality report.
        when_empty: The text for people if there is no finding.
        home: The file of findings that are in none, for formats that require one.
    """
    match output_format:
        case "json":
            return json.dumps([asdict(finding) for finding in findings], indent=2)
        case "sarif":
            return json.dumps(_sarif(findings, home), indent=2)
        case "gitlab":
            return json.dumps(_code_quality(findings, home), indent=2)
        case "terminal":
            return _spaced([_paragraph(finding) for finding in findings]) or when_empty
        case "markdown" | "github" | "azure":
            return "\n".join(map(_LINES[output_format], findings)) or when_empty


def _spaced(paragraphs: Sequence[str]) -> str:
    """Join paragraphs; only one that is longer than a line has an empty line beside it."""
    text = ""
    for before, after in pairwise(["\n", *paragraphs]):
        short = "\n" not in before + after
        text += ("\n" if short else "\n\n") + after
    return text.strip("\n")


def _paragraph(finding: Finding) -> str:
    mark = "✗" if finding.blocks else "✓" if finding.met else "·"
    side = f"  [{finding.side}]" if finding.side else ""
    fix = f"→ {finding.fix}" if finding.fix else ""
    details = filter(None, [finding.place, *finding.evidence, fix])
    return "\n    ".join([f"{mark} {finding.message}{side}", *details])


def _item(finding: Finding) -> str:
    mark = "❌" if finding.blocks else "✅" if finding.met else "ℹ️"  # noqa: RUF001
    side = f" **{finding.side}**" if finding.side else ""
    place = f" (`{finding.place}`)" if finding.place else ""
    details = [*finding.evidence, *([f"→ {finding.fix}"] if finding.fix else [])]
    return "\n  - ".join([f"- {mark}{side} {finding.message}{place}", *details])


def _github_annotation(finding: Finding) -> str:
    """Return GitHub's command for a message at a line of a change."""
    kind = "error" if finding.blocks else "notice"
    file = _escape_github(finding.file or "").replace(":", "%3A").replace(",", "%2C")
    place = f" file={file},line={finding.file_line}" if file else ""
    return f"::{kind}{place}::{_escape_github(finding.full_text)}"


def _escape_github(text: str) -> str:
    """Escape a text as GitHub's toolkit does: a command is one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _azure_issue(finding: Finding) -> str:
    """Return Azure's command for the same; it has no level below a warning."""
    if finding.met:
        return f"##[section]{_escape_azure(finding.full_text)}"
    kind = "error" if finding.blocks else "warning"
    place = (
        f";sourcepath={_escape_azure(finding.file)};linenumber={finding.file_line}"
        if finding.file
        else ""
    )
    return f"##vso[task.logissue type={kind}{place}]{_escape_azure(finding.full_text)}"


def _escape_azure(text: str) -> str:
    """Escape a text as Azure's library does."""
    for sign, escaped in (("%", "%AZP25"), (";", "%3B"), ("]", "%5D")):
        text = text.replace(sign, escaped)
    return text.replace("\r", "%0D").replace("\n", "%0A")


def _code_quality(findings: Sequence[Finding], home: str) -> list[dict[str, Any]]:
    """Return GitLab's report; a finding keeps its fingerprint from change to change."""
    return [
        {
            "description": finding.full_text,
            "check_name": finding.check,
            "fingerprint": _fingerprint(finding),
            "severity": "major" if finding.blocks else "info",
            "location": {
                "path": finding.file or home,
                "lines": {"begin": finding.file_line},
            },
        }
        for finding in findings
        if not finding.met
    ]


def _sarif(findings: Sequence[Finding], home: str) -> dict[str, Any]:
    """Return SARIF 2.1.0, which providers and editors read."""
    rules = list(dict.fromkeys(finding.check for finding in findings))
    return {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "handoff", "rules": [{"id": name} for name in rules]}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, rules, home) for finding in findings],
            }
        ],
    }


def _result(finding: Finding, rules: Sequence[str], home: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file or home)}}
    # GitHub refuses a file with a result that has no place, and documents that it needs a line.
    if home == _DEFAULT_FILE or (finding.line and not finding.cell):
        place["region"] = {"startLine": finding.file_line}
    return {
        "ruleId": finding.check,
        "ruleIndex": rules.index(finding.check),
        "kind": "pass" if finding.met else "fail",
        "level": "none" if finding.met else "error" if finding.blocks else "note",
        "message": {"text": finding.full_text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"handoff/v1": _fingerprint(finding)},
        "properties": {"side": finding.side or "", "fix": finding.fix},
    }


def _fingerprint(finding: Finding) -> str:
    """Return what identifies a finding also after its line has moved."""
    parts = [finding.check, finding.side or "", finding.file or "", finding.message]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


_LINES: Mapping[str, Callable[[Finding], str]] = {
    "markdown": _item,
    "github": _github_annotation,
    "azure": _azure_issue,
}
