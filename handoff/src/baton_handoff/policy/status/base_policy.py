"""What judges a change: the stricter of what its base and it itself state."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from baton_handoff.config.baseline import BASELINE_FILE, follow_renames
from baton_handoff.config.project import Project, project_at
from baton_handoff.config.settings import PolicyException, PromotionSettings
from baton_handoff.config.standards import FOLDER, practices_text
from baton_handoff.core.git_snapshots import GitSnapshots
from baton_handoff.core.toml_files import parse_toml, read_toml
from baton_handoff.core.yaml_files import read_yaml
from baton_handoff.policy.status.base_practices import by_both, easier, loosened_practices
from baton_handoff.reporting.findings import Finding

_BOTH = "stricter-of-both"

_TOOLS = ("ruff", "pytest")
_SETTINGS = (
    *("ruff.toml", ".ruff.toml"),
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
)
"""What says to tools how to look, beside pyproject.toml; mypy reads only what the standards say."""

_SHOWN = 3


def stricter(base: Project, head: Project) -> Project:
    """The project as a change to it is judged, so that no change loosens the gate that judges it.

    The higher level binds, and of each limit of a promotion the one that lets less through. An
    exception counts only where both state it, until the earlier of both days, and of each entry of
    the baseline the smaller count. Who answers for a path, who is on which side, which teams there
    are and in whose cloud it runs can't be compared: that is the base's to say. Whoever moves to
    another CI brings its file along, which is looked at as the old one was.
    Practices and statements are compared when somebody asks for them (`practices.base_and_head`).

    Args:
        base: The project as it was before the change.
        head: The project with the change.
    """
    return replace(
        head,
        level=max(base.level, head.level),
        teams=base.teams,
        answerable=base.answerable,
        cloud=head.cloud if base.cloud == "none" else base.cloud,
        people=base.people,
        promotion=PromotionSettings(
            tolerance=min(base.promotion.tolerance, head.promotion.tolerance),
            floor=max(base.promotion.floor, head.promotion.floor),
            latency_ms=min(base.promotion.latency_ms, head.promotion.latency_ms),
        ),
        exceptions=tuple(by_both(base.exceptions, head.exceptions, _subject)),
        baseline={
            entry: min(count, base.baseline[entry])
            for entry, count in head.baseline.items()
            if entry in base.baseline
        },
        base=base,
        head=head,
    )


def stated_before(project: Project, snapshots: GitSnapshots, base: str, folder: Path) -> Project:
    """The project as a base of its work stated it; the baseline follows files that have moved.

    Args:
        project: The project.
        snapshots: Its snapshots.
        base: The tree that the work began with.
        folder: Where that tree is written to; there must be nothing yet.
    """
    written = snapshots.check_out(base, folder)
    was = replace(project_at(written, project), standards=_standards(written))
    moves = snapshots.renames(base, snapshots.working_directory()) if was.baseline else {}
    return replace(was, baseline=follow_renames(was.baseline, moves))


def _standards(folder: Path) -> dict[str, Any]:
    """What the practices.toml of a tree says; nothing without one, or where it is no TOML."""
    try:
        return parse_toml(practices_text(folder))
    except (OSError, ValueError):
        return {}


def loosened(base: Project, head: Project) -> list[Finding]:
    """What a change makes easier for whoever comes after it: it does not count for itself."""
    binding = stricter(base, head)
    practices = (("handoff.toml", what) for what in loosened_practices(binding))
    said = [*_limits(binding, head), *_exceptions(base, head), *practices, *_baseline(base, head)]
    return [
        Finding(
            _BOTH,
            f"{what}: that counts once it is merged, and this change is judged without it",
            blocks=False,
            file=file,
        )
        for file, what in said
    ]


def at_once(project: Project, snapshots: GitSnapshots, tree: str, before: Path) -> list[Finding]:
    """What a change does to what judges it that nothing holds against its base.

    Args:
        project: The project.
        snapshots: Its snapshots.
        tree: The tree that the change began with.
        before: The folder that it was written to.
    """
    paths = [edit.path for edit in snapshots.edits(tree, snapshots.working_directory())]
    found = [
        Finding(
            _BOTH,
            f"{what} changes, and what it lets pass counts at once: whoever reviews it decides",
            blocks=False,
            file=file,
        )
        for what, file in _tools(project.root, before, paths)
    ]
    ours = [path for path in paths if path.startswith(FOLDER)]
    version = _version(before)
    if ours and version and version == _version(project.root):
        more = f" and {len(ours) - _SHOWN} more" if len(ours) > _SHOWN else ""
        found.append(
            Finding(
                _BOTH,
                f"{FOLDER} was edited by hand ({', '.join(ours[:_SHOWN])}{more}): that counts"
                " at once, and an update writes over it",
                blocks=False,
                file=ours[0],
                fix="take it back, and change the standards in the template",
            )
        )
    return found


def _tools(root: Path, before: Path, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The team's own settings of tools that differ, and the files that they stand in."""
    for path in paths:
        name = PurePosixPath(path).name
        if name == "pyproject.toml" and not path.startswith(FOLDER):
            was, now = (_table(folder / path) for folder in (before, root))
            for tool in _TOOLS:
                if was.get(tool) != now.get(tool):
                    yield f"[tool.{tool}] in {path}", path
        elif name in _SETTINGS and not path.startswith(FOLDER):
            yield path, path


def _table(file: Path) -> dict[str, Any]:
    """The table [tool] of a pyproject.toml; nothing where there is none."""
    try:
        said = read_toml(file).get("tool", {})
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _version(folder: Path) -> object:
    """The version of the template that a tree was made with; None where it says none."""
    try:
        said = read_yaml(folder / ".copier-answers.yml")
    except (OSError, ValueError):
        return None
    return said.get("_commit") if isinstance(said, dict) else None


def _limits(binding: Project, head: Project) -> Iterator[tuple[str, str]]:
    if head.level < binding.level:
        yield ".copier-answers.yml", f"The level goes from {binding.level} to {head.level}"
    if head.cloud != binding.cloud:
        yield ".copier-answers.yml", f"`cloud` goes from {binding.cloud} to {head.cloud}"
    for limit in PromotionSettings.model_fields:
        strict, stated = (getattr(of.promotion, limit) for of in (binding, head))
        if strict != stated:
            yield "handoff.toml", f"`{limit}` in [promotion] goes from {strict:g} to {stated:g}"


def _exceptions(base: Project, head: Project) -> Iterator[tuple[str, str]]:
    for accepted, how in easier(base.exceptions, head.exceptions, _subject):
        yield "handoff.toml", f"An exception {how} ({accepted.reason})"


def _baseline(base: Project, head: Project) -> Iterator[tuple[str, str]]:
    grown = {
        entry: count - base.baseline.get(entry, 0)
        for entry, count in head.baseline.items()
        if count > base.baseline.get(entry, 0)
    }
    for name, side in dict.fromkeys((name, side) for name, side, _ in grown):
        more = {file: n for (*whose, file), n in grown.items() if whose == [name, side]}
        first, *others = sorted(more)
        where = f"{first} and {len(others)} more" if others else first
        yield (
            BASELINE_FILE,
            f"The baseline of {name} grows by {sum(more.values())} for {side} ({where})",
        )


def _subject(accepted: PolicyException) -> PolicyException:
    """What it is about, whoever accepts it for what reason until when."""
    return accepted.model_copy(update={"reason": "", "owner": "", "expires": date.max})
