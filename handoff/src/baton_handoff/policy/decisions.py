"""Decisions about tools in `docs/decisions/`, and the radar that follows from them.

A decision is a Markdown file. Its front matter names tools, their alternatives, and the time until
the next review.
"""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from baton_handoff.config.project import Project
from baton_handoff.config.sides import ML_ENGINEERING, Side
from baton_handoff.config.validation import StrictModel, read_settings, validated
from baton_handoff.core.errors import SettingsError, UnreadableError
from baton_handoff.core.git import git_or_none, is_shallow
from baton_handoff.core.requirements import package_name
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.reporting.findings import Finding

Ring: TypeAlias = Literal["adopt", "trial", "assess", "hold"]

PLACE = Path("docs/decisions")
_MIN_ALTERNATIVES = 2
"""With fewer there was no choice."""

_GROUPS = ("service", "training")
"""The dependency groups whose packages need a decision, beside those of run time."""

_OURS = "baton-standards"


@dataclass(frozen=True)
class ToolChoice:
    """A tool that a decision is about.

    Attributes:
        name: Its name, that of the package if it is one.
        ring: The ring of the radar.
        alternatives: The tools that were considered instead.
    """

    name: str
    ring: Ring
    alternatives: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """A decision about tools.

    Attributes:
        file: Its file, relative to the project, with slashes.
        tools: Its tools.
        side: The side that reviews it.
        months: The months until the next review.
        reviewed: The day of the last review, None if there was none.
        accepted: True if it holds.
        reasoned: True if it gives a reason, under the heading "Decision".
    """

    file: str
    tools: tuple[ToolChoice, ...]
    side: str
    months: int
    reviewed: date | None
    accepted: bool
    reasoned: bool


def _months(value: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,2} months?", value):
        raise PydanticCustomError("months", "use a number of months such as `6 months`")
    return value


class _ToolEntry(StrictModel):
    ring: Ring
    alternatives: list[Annotated[str, BeforeValidator(str)]]


class _FrontMatter(StrictModel):
    status: Literal["proposed", "accepted", "rejected", "deprecated", "superseded"]
    side: Side
    review: Annotated[str, AfterValidator(_months)]
    reviewed: date | None = None
    tools: Annotated[dict[str, _ToolEntry], Field(min_length=1)]


def read_decisions(project: Project) -> list[Decision]:
    """The decisions of a project; Markdown without tools in its front matter is none.

    Raises:
        SettingsError: One of them can't be used.
    """
    decisions = (
        _read_decision(file, file.relative_to(project.root).as_posix())
        for file in sorted((project.root / PLACE).glob("*.md"))
    )
    return [decision for decision in decisions if decision]


def _read_decision(file: Path, name: str) -> Decision | None:
    try:
        text = file.read_text(encoding="utf-8")
        parts = re.match(r"---\n(.*?)^---\s*\n(.*)", text, re.DOTALL | re.MULTILINE)
        data = parse_yaml(parts[1]) if parts else None
    except UnicodeDecodeError as error:
        message = "the file is not UTF-8: save it as UTF-8."
        raise SettingsError(file, 1, message, location=(), kind="encoding") from error
    except UnreadableError as error:
        message = f"invalid YAML in the front matter ({error.reason}): correct that line."
        line = (error.line or 1) + 1
        raise SettingsError(file, line, message, location=(), kind="syntax") from error
    if not parts or not isinstance(data, Mapping) or "tools" not in data:
        return None
    stated = validated(_FrontMatter, data, file)
    reason = re.search(r"^## Decision *\n(.*?)(?=^## |\Z)", parts[2], re.DOTALL | re.MULTILINE)
    return Decision(
        file=name,
        tools=tuple(
            ToolChoice(tool, entry.ring, tuple(dict.fromkeys(entry.alternatives)))
            for tool, entry in stated.tools.items()
        ),
        side=stated.side,
        months=int(stated.review.partition(" ")[0]),
        reviewed=stated.reviewed,
        accepted=stated.status == "accepted",
        reasoned=bool(reason and reason[1].strip()),
    )


def runtime_packages(project: Project) -> list[str]:
    """The packages that run time, service and training need, by their names in pyproject.toml.

    Raises:
        SettingsError: It can't be read.
    """
    file = project.root / "pyproject.toml"
    if not file.exists():
        return []
    data = read_settings(file)
    groups = data.get("dependency-groups", {})
    needed = [
        *data.get("project", {}).get("dependencies", []),
        *(one for name in _GROUPS for one in groups.get(name, []) if isinstance(one, str)),
    ]
    names = (package_name(str(one)) for one in needed)
    return [*dict.fromkeys(name for name in names if name != _OURS)]


def first_commit_day(project: Project) -> date | None:
    """The day of the project's first commit; None without one, or in a shallow clone."""
    if is_shallow(project.root):
        return None
    days = (git_or_none(project.root, "log", "--format=%as", "--", ".") or "").split()
    return min(map(date.fromisoformat, days), default=None)


def review_day(decision: Decision, first_commit: date | None) -> date | None:
    """The day by which a decision has to be reviewed, None if it is not known."""
    since = decision.reviewed or first_commit
    if since is None:
        return None
    years, month = divmod(since.month - 1 + decision.months, 12)
    year = since.year + years
    if year > date.max.year:
        return date.max
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(since.day, last))


def unjustified_tools(decisions: Sequence[Decision], packages: Sequence[str]) -> list[Finding]:
    """Packages without a decision, and decisions without alternatives or a reason."""
    accepted = [decision for decision in decisions if decision.accepted]
    decided = {package_name(tool.name) for decision in accepted for tool in decision.tools}
    found = [
        Finding(
            "tool-not-chosen",
            f"pyproject.toml requires {name}, and no decision names it",
            blocks=False,
            side=ML_ENGINEERING,
            file="pyproject.toml",
            fix=f"add `{name}` to `tools` of a decision in {PLACE.as_posix()}/, with `ring` and"
            " `alternatives`",
        )
        for name in packages
        if name not in decided
    ]
    for decision in accepted:
        few = [tool.name for tool in decision.tools if len(tool.alternatives) < _MIN_ALTERNATIVES]
        if few:
            message = f"fewer than {_MIN_ALTERNATIVES} alternatives to {', '.join(few)}"
            fix = "name the tools that were considered instead as `alternatives`"
            found.append(_finding("tool-not-chosen", decision, message, fix))
        if not decision.reasoned:
            fix = "write the reason under a heading `## Decision`"
            found.append(_finding("tool-not-chosen", decision, "the decision has no reason", fix))
    return found


def overdue_reviews(
    decisions: Sequence[Decision], first_commit: date | None, today: date
) -> list[Finding]:
    """Decisions that were not reviewed in time, or whose review has a date in the future."""
    found = []
    for decision in (decision for decision in decisions if decision.accepted):
        if decision.reviewed and decision.reviewed > today:
            message = f"`reviewed: {decision.reviewed}` is in the future"
            fix = "write the day of the review"
            found.append(_finding("tool-review", decision, message, fix))
        day = review_day(decision, first_commit)
        if day and day < today:
            names = ", ".join(tool.name for tool in decision.tools)
            fix = (
                f"check that the reasons still hold, then write `reviewed: {today}` into the front"
                " matter, or `status: superseded` and a new decision"
            )
            found.append(
                _finding("tool-review", decision, f"{names}: the review was due on {day}", fix)
            )
    return found


def check_tools(project: Project, today: date) -> list[Finding]:
    """All findings about a project's tools; none of them blocks.

    Raises:
        SettingsError: A decision or pyproject.toml can't be read.
    """
    decisions = read_decisions(project)
    reviews = overdue_reviews(decisions, first_commit_day(project), today)
    return [*unjustified_tools(decisions, runtime_packages(project)), *reviews]


def radar(
    decisions: Sequence[Decision], first_commit: date | None, today: date
) -> list[tuple[ToolChoice, Decision, str]]:
    """The tools of accepted decisions with their next review, by ring and name."""
    rows = []
    for decision in (decision for decision in decisions if decision.accepted):
        day = review_day(decision, first_commit)
        late = ", overdue" if day and day < today else ""
        text = f"{day}{late}" if day else f"{decision.months} months after the first commit"
        rows += [(tool, decision, text) for tool in decision.tools]
    rings = get_args(Ring)
    return sorted(rows, key=lambda row: (rings.index(row[0].ring), row[0].name.lower()))


def radar_text(rows: Sequence[tuple[ToolChoice, Decision, str]]) -> str:
    """The radar for a terminal, a line for each tool."""
    lines = [
        (tool.ring, tool.name, review, f"over {', '.join(tool.alternatives)}", decision.file)
        for tool, decision, review in rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _finding(check: str, decision: Decision, message: str, fix: str) -> Finding:
    return Finding(
        check, message, blocks=False, side=decision.side, file=decision.file, line=1, fix=fix
    )
