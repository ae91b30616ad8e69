"""Who must agree to a change, in the words of the provider: CODEOWNERS, or branch policies."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES, approvers, covers, places
from baton_handoff.core.errors import HandoffError

Teams: TypeAlias = Mapping[str, str]
"""The handle of each side's team, without the @ that some providers write before it."""

_BEGIN, _END = "# >>> handoff owners", "# <<< handoff owners"

# Where a provider looks, in its order; it reads one file only.
_LOCATIONS = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
    "azure": ("branch-policies.sh",),
}


@dataclass(frozen=True)
class OwnerRule:
    """Who must agree to a change of one place.

    Attributes:
        place: A file, or a folder with a slash at its end, relative to the project.
        sides: The sides; none for a place that is nobody's inside a folder that is somebody's.
    """

    place: str
    sides: tuple[str, ...]


def owners_file(project: Project) -> Path:
    """The file that the provider reads, or will read once it is there.

    Raises:
        HandoffError: The provider is unknown.
    """
    if project.ci not in _LOCATIONS:
        raise HandoffError(
            f"{project.root / '.copier-answers.yml'} must say for `ci` one of"
            f" {', '.join(_LOCATIONS)}: `uvx copier update --defaults --data ci=…`."
        )
    found = [file for name in _LOCATIONS[project.ci] if (file := project.root / name).exists()]
    usual = "branch-policies.sh" if project.ci == "azure" else "CODEOWNERS"
    return found[0] if found else project.root / usual


def write_owners(project: Project) -> Path:
    """Write the owners' block, leave all other lines as they are, and return the file.

    Raises:
        HandoffError: As `wanted` does.
    """
    file = owners_file(project)
    file.write_bytes(wanted(project).encode())
    return file


def owners_are_current(project: Project) -> bool:
    """Whether the file says what sides, teams and level say.

    Raises:
        HandoffError: As `wanted` does.
    """
    file = owners_file(project)
    if not file.exists():
        return False
    # Who writes it was once called `poe owners`.
    said = file.read_bytes().replace(b"`uv run poe owners` writes", b"`uv run poe fix` writes")
    return said == wanted(project).encode()


def wanted(project: Project) -> str:
    """What the file should say: the team's own lines, and the block between its two marks.

    Raises:
        HandoffError: Provider or teams are unknown, or the file can't be read as one with a block.
    """
    if not all(project.teams):
        raise HandoffError(
            f"{project.root / '.copier-answers.yml'} does not name the two teams:"
            " `copier update` asks for them."
        )
    file = owners_file(project)
    before, after = _own_lines(file)
    if before and not before.endswith("\n"):
        before += "\n"
    handles = (handle.removeprefix("@") for handle in project.teams)
    teams = dict(zip(SIDES, handles, strict=True))
    lines = block(project.ci, rules_of(project), teams)
    return before + "".join(f"{line}\n" for line in lines) + after


def _own_lines(file: Path) -> tuple[str, str]:
    """What stands above and below the block; all above where there is no block yet."""
    try:
        # Bytes, so that line ends stay what they are.
        lines = file.read_bytes().decode().splitlines(keepends=True) if file.exists() else []
    except UnicodeDecodeError as error:
        raise HandoffError(f"{file} is not UTF-8: save it as that.") from error
    marks = [n for n, line in enumerate(lines) if line.startswith((_BEGIN, _END))]
    if not marks:
        return "".join(lines), ""
    if [lines[n].startswith(_BEGIN) for n in marks] != [True, False]:
        raise HandoffError(
            f"{file} needs one line `{_BEGIN}…` and below it one `{_END}…`: mend or delete them."
        )
    return "".join(lines[: marks[0]]), "".join(lines[marks[1] + 1 :])


def rules_of(project: Project) -> list[OwnerRule]:
    """The rules for what stands in the project, outer folders first: the last that fits counts."""
    own = project.answerable
    file = owners_file(project)
    standing = [
        OwnerRule(name, approvers(name, project.package, own, project.level))
        for name in sorted(places(project.package, own))
        if (place := project.root / name) == file or _holds_a_file(place)
    ]
    return [
        rule
        for rule in standing
        if rule.sides or any(outer.sides and covers(outer.place, rule.place) for outer in standing)
    ]


def _holds_a_file(place: Path) -> bool:
    inside = place.rglob("*") if place.is_dir() else [place]
    return any(path.is_file() and "__pycache__" not in path.parts for path in inside)


def block(ci: str, rules: Sequence[OwnerRule], teams: Teams) -> list[str]:
    """The lines of the block, marks included.

    Args:
        ci: The provider.
        rules: The rules, outer folders first.
        teams: The handle of each side's team; both may be one.
    """
    return [
        f"{_BEGIN}: `uv run poe fix` writes these lines from sides, teams and level.",
        *_LINES[ci](rules, teams),
        f"{_END}: lines of your own go above{_BELOW[ci]}",
    ]


def _github(rules: Sequence[OwnerRule], teams: Teams) -> Iterator[str]:
    for rule in rules:
        yield " ".join([_pattern(rule.place), *_handles(rule.sides, teams)])


def _gitlab(rules: Sequence[OwnerRule], teams: Teams) -> Iterator[str]:
    """A section for each team: GitLab asks for an approval from every section that fits."""
    for sides in _by_team(teams):
        yield from ("", f"[{' and '.join(sides)}] {_handles(sides, teams)[0]}")
        for rule, asked in _asking(sides, rules):
            others = [] if asked else _handles(rule.sides, teams)
            nobodys = "" if rule.sides else "!"
            yield " ".join([nobodys + _pattern(rule.place), *others])


def _azure(rules: Sequence[OwnerRule], teams: Teams) -> Iterator[str]:
    """A policy for each team: Azure asks for an approval by every policy that fits."""
    yield from _HOW_TO_RUN
    for sides in _by_team(teams):
        paths = [
            f"{'' if asked else '!'}/{rule.place}{'*' if rule.place.endswith('/') else ''}"
            for rule, asked in _asking(sides, rules)
        ]
        yield "az repos policy required-reviewer create --blocking true --enabled true \\"
        yield '  --repository-id "$REPOSITORY_ID" --branch "${BRANCH:-main}" \\'
        yield f"  --required-reviewer-ids {shlex.quote(teams[sides[0]])} \\"
        yield f"  --message {shlex.quote(' and '.join(sides) + ' must agree')} \\"
        yield f"  --path-filter {shlex.quote(';'.join(paths))}"


_LINES: dict[str, Callable[[Sequence[OwnerRule], Teams], Iterator[str]]] = {
    "github": _github,
    "gitlab": _gitlab,
    "azure": _azure,
}
_BELOW = {
    "github": " or below; the last line that fits a path counts.",
    "gitlab": "; below, under a section of their own.",
    "azure": " or below.",
}
_HOW_TO_RUN = (
    "# Run it once, as somebody who may edit policies: REPOSITORY_ID=… sh branch-policies.sh",
    "# (`az repos list` shows the id). Policies add up: after a change of this file, delete those",
    "# that it made before (`az repos policy list`, `az repos policy delete --id …`).",
    "set -eu",
)


def _by_team(teams: Teams) -> list[list[str]]:
    """The sides of each team."""
    grouped: dict[str, list[str]] = {}
    for side, handle in teams.items():
        grouped.setdefault(handle, []).append(side)
    return list(grouped.values())


def _asking(sides: Sequence[str], rules: Sequence[OwnerRule]) -> Iterator[tuple[OwnerRule, bool]]:
    """The rules that ask one of the sides, and those that make an exception inside such a rule."""
    asking: list[OwnerRule] = []
    for rule in rules:
        if set(sides) & set(rule.sides):
            asking.append(rule)
            yield rule, True
        elif any(covers(outer.place, rule.place) for outer in asking):
            yield rule, False


def _handles(sides: Sequence[str], teams: Teams) -> list[str]:
    """The handles of sides as CODEOWNERS wants them, each once."""
    return [*dict.fromkeys(f"@{teams[side]}" for side in sides)]


def _pattern(place: str) -> str:
    return "/" + place.replace(" ", "\\ ")
