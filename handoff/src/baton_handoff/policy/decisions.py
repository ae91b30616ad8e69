"""Tools chosen on purpose: what `docs/decisions/` says, and the radar that follows from it.

A decision is a Markdown file whose front matter names tools, what else was considered, and when to
look at them again. The radar has no list of its own.
"""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.config.sides import ML_ENGINEERING, SIDES
from baton_handoff.core.errors import HandoffError, UnreadableError
from baton_handoff.core.git import git_or_none, is_shallow
from baton_handoff.core.requirements import package_name
from baton_handoff.core.toml_files import read_toml
from baton_handoff.core.yaml_files import parse_yaml
from baton_handoff.reporting.findings import Finding

PLACE = Path("docs/decisions")
RINGS = ("adopt", "trial", "assess", "hold")
STATES = ("proposed", "accepted", "rejected", "deprecated", "superseded")
ALTERNATIVES = 2
"""With fewer nothing was chosen."""

_KEYS = ("status", "side", "review", "reviewed", "tools")
_GROUPS = ("service", "training")
"""The groups of pyproject.toml that what runs is made of, beside run time itself."""

_OURS = "baton-standards"


@dataclass(frozen=True)
class Tool:
    """One tool that a decision is about.

    Attributes:
        name: Its name, that of the package where it is one.
        ring: How far it is taken: adopt, trial, assess or hold.
        alternatives: What else was considered.
    """

    name: str
    ring: str
    alternatives: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes:
        file: Its file, relative to the project, with slashes.
        tools: What it is about.
        side: The side that looks at it again.
        months: After how many months.
        reviewed: When somebody did last, None for never.
        accepted: Whether it holds.
        reasoned: Whether it says why, under the heading "Decision".
    """

    file: str
    tools: tuple[Tool, ...]
    side: str
    months: int
    reviewed: date | None
    accepted: bool
    reasoned: bool


def decisions(project: Project) -> list[Decision]:
    """The decisions of a project; Markdown without front matter is about no tool.

    Raises:
        HandoffError: One of them can't be read.
    """
    files = sorted((project.root / PLACE).glob("*.md"))
    read = [_decision(file, file.relative_to(project.root).as_posix()) for file in files]
    return [decision for decision in read if decision]


def dependencies(project: Project) -> list[str]:
    """What run time, service and training need, by the names in pyproject.toml.

    Raises:
        HandoffError: It can't be read.
    """
    file = project.root / "pyproject.toml"
    if not file.exists():
        return []
    try:
        stated = read_toml(file)
    except ValueError as error:
        raise HandoffError(f"{file} is not valid TOML ({error}): mend that line.") from error
    groups = stated.get("dependency-groups", {})
    wanted = [
        *stated.get("project", {}).get("dependencies", []),
        *(one for name in _GROUPS for one in groups.get(name, []) if isinstance(one, str)),
    ]
    return [*dict.fromkeys(name for one in wanted if (name := package_name(str(one))) != _OURS)]


def begun(project: Project) -> date | None:
    """The day of the project's first commit; None where there is none, or the clone is shallow."""
    if is_shallow(project.root):
        return None
    days = (git_or_none(project.root, "log", "--format=%as", "--", ".") or "").split()
    return min(map(date.fromisoformat, days), default=None)


def due(decision: Decision, first: date | None) -> date | None:
    """The day on which a decision is to be looked at again, None where nothing says from when.

    Args:
        decision: The decision.
        first: The day of the project's first commit.
    """
    since = decision.reviewed or first
    if since is None:
        return None
    years, month = divmod(since.month - 1 + decision.months, 12)
    year = since.year + years
    if year > date.max.year:
        return date.max
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(since.day, last))


def not_chosen(made: Sequence[Decision], needed: Sequence[str]) -> list[Finding]:
    """Tools that nobody has chosen on purpose: no decision, no alternatives, or no reason."""
    holding = [decision for decision in made if decision.accepted]
    named = {package_name(tool.name) for decision in holding for tool in decision.tools}
    found = [
        Finding(
            "tool-not-chosen",
            f"pyproject.toml asks for {name}, and no decision names it",
            blocks=False,
            side=ML_ENGINEERING,
            file="pyproject.toml",
            fix=f"add `{name}` to `tools` of a decision in {PLACE.as_posix()}/, with `ring` and"
            " what else was considered as `alternatives`",
        )
        for name in needed
        if name not in named
    ]
    for decision in holding:
        few = [tool.name for tool in decision.tools if len(tool.alternatives) < ALTERNATIVES]
        if few:
            said = f"fewer than {ALTERNATIVES} alternatives were considered for {', '.join(few)}"
            fix = "name what else was considered as `alternatives`"
            found.append(_finding("tool-not-chosen", decision, said, fix))
        if not decision.reasoned:
            fix = "write the reason under a heading `## Decision`"
            found.append(_finding("tool-not-chosen", decision, "it does not say why", fix))
    return found


def overdue(made: Sequence[Decision], first: date | None, today: date) -> list[Finding]:
    """Decisions that nobody has looked at again in time, or only on a day to come."""
    holding = [decision for decision in made if decision.accepted]
    late = [(one, day) for one in holding if (day := due(one, first)) and day < today]
    early = [one for one in holding if one.reviewed and one.reviewed > today]
    return [
        *(
            _finding(
                "tool-review",
                decision,
                f"`reviewed: {decision.reviewed}` is a day to come",
                "write the day on which somebody has looked",
            )
            for decision in early
        ),
        *(
            _finding(
                "tool-review",
                decision,
                f"{', '.join(one.name for one in decision.tools)}: to be looked at again by {day}",
                f"look whether the reasons still hold, then write `reviewed: {today}` into the"
                " front matter, or `status: superseded` and a new decision",
            )
            for decision, day in late
        ),
    ]


def check_tools(project: Project, today: date) -> list[Finding]:
    """Everything to be said of a project's tools; none of it blocks.

    Raises:
        HandoffError: A decision or pyproject.toml can't be read.
    """
    made = decisions(project)
    return [*not_chosen(made, dependencies(project)), *overdue(made, begun(project), today)]


def radar(
    made: Sequence[Decision], first: date | None, today: date
) -> list[tuple[Tool, Decision, str]]:
    """Every tool of a decision that holds, with the day of its next review, by ring and name."""
    rows = []
    for decision in (decision for decision in made if decision.accepted):
        day = due(decision, first)
        late = ", overdue" if day and day < today else ""
        text = f"{day}{late}" if day else f"{decision.months} months after the first commit"
        rows += [(tool, decision, text) for tool in decision.tools]
    return sorted(rows, key=lambda row: (RINGS.index(row[0].ring), row[0].name.lower()))


def as_text(rows: Sequence[tuple[Tool, Decision, str]]) -> str:
    """The radar for a terminal, a line for each tool."""
    lines = [
        (tool.ring, tool.name, when, f"over {', '.join(tool.alternatives)}", decision.file)
        for tool, decision, when in rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _decision(file: Path, name: str) -> Decision | None:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise HandoffError(f"{name} is not UTF-8: save it as that.") from error
    parts = re.match(r"---\n(.*?)^---\s*\n(.*)", text, re.DOTALL | re.MULTILINE)
    if not parts:
        return None
    try:
        stated = parse_yaml(parts[1])
    except UnreadableError as error:
        first = str(error).partition("\n")[0]
        raise HandoffError(f"The front matter of {name} is not valid YAML: {first}.") from error
    if not isinstance(stated, Mapping) or "tools" not in stated:
        return None
    for key in stated:
        if key not in _KEYS:
            raise _wrong(name, f"says `{key}`, which is none of {', '.join(_KEYS)}")
    for key, allowed in (("status", STATES), ("side", SIDES)):
        if stated.get(key) not in allowed:
            raise _wrong(name, f"must say `{key}: {'` or `'.join(allowed)}`")
    months = re.fullmatch(r"([1-9]\d{0,2}) months?", str(stated.get("review")))
    if not months:
        raise _wrong(name, "must say after how long to look at it again, `review: 6 months`")
    reviewed = stated.get("reviewed")
    if reviewed is not None and (not isinstance(reviewed, date) or isinstance(reviewed, datetime)):
        raise _wrong(name, "must have a date as `reviewed`, 2027-03-31 for example")
    reason = re.search(r"^## Decision *\n(.*?)(?=^## |\Z)", parts[2], re.DOTALL | re.MULTILINE)
    return Decision(
        file=name,
        tools=_tools(name, stated["tools"]),
        side=stated["side"],
        months=int(months[1]),
        reviewed=reviewed,
        accepted=stated["status"] == "accepted",
        reasoned=bool(reason and reason[1].strip()),
    )


def _tools(name: str, stated: Any) -> tuple[Tool, ...]:
    if not isinstance(stated, Mapping) or not stated:
        raise _wrong(name, "must have under `tools` a line for each, `dvc: {ring: adopt, …}`")
    tools = []
    for tool, said in stated.items():
        others = said.get("alternatives") if isinstance(said, Mapping) else None
        if not isinstance(others, list) or set(said) != {"ring", "alternatives"}:
            raise _wrong(name, f"must say of {tool} `ring` and a list of `alternatives`, no more")
        if said["ring"] not in RINGS:
            raise _wrong(name, f"must have as `ring` of {tool} one of {', '.join(RINGS)}")
        tools.append(Tool(str(tool), said["ring"], tuple(dict.fromkeys(map(str, others)))))
    return tuple(tools)


def _wrong(name: str, what: str) -> HandoffError:
    return HandoffError(f"The front matter of {name} {what}.")


def _finding(check: str, decision: Decision, message: str, fix: str) -> Finding:
    return Finding(
        check, message, blocks=False, side=decision.side, file=decision.file, line=1, fix=fix
    )
