"""The file that tells a provider which teams must approve a change: CODEOWNERS, or policies."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.config.sides import HOSTING, SIDES, approvers, covers, places
from baton_handoff.core.errors import HandoffError, SettingsError
from baton_handoff.core.git import prefix_of, repository_root

Teams: TypeAlias = Mapping[str, str]
"""The handle of each side's team, without the @ that some providers write before it."""

_BEGIN, _END = "# >>> handoff owners", "# <<< handoff owners"


@dataclass(frozen=True)
class OwnerRule:
    """The sides that must approve a change of one place.

    Attributes:
        place: A file, or a folder with a slash at its end, relative to the project.
        sides: The sides; none for a place without approvers inside a folder that has some.
    """

    place: str
    sides: tuple[str, ...]


class _Provider(NamedTuple):
    """How a provider reads approvers."""

    locations: tuple[str, ...]  # in the provider's order: it reads the first one that exists
    default: str
    lines: Callable[[Sequence[OwnerRule], Teams], Iterator[str]]
    advice: str  # where the team's own lines belong


def owners_file(project: Project) -> Path:
    """The file that the provider reads, or will read once it exists.

    Raises:
        SettingsError: The provider is unknown.
    """
    provider = _provider(project)
    # Providers read the file in the root of a repository; Azure's is a script of the project.
    root = project.root if project.ci == "azure" else repository_root(project.root)
    files = [root / name for name in provider.locations]
    return next(filter(Path.exists, files), root / provider.default)


def write_owners(project: Project) -> Path:
    """Write the block of the owners, keep all other lines, and return the file.

    Raises:
        HandoffError: Provider or teams are unknown, or the file can't be read.
    """
    file = owners_file(project)
    file.write_bytes(owners_text(project).encode())
    return file


def owners_text(project: Project) -> str:
    """The file of the owners as it must be.

    Raises:
        HandoffError: Provider or teams are unknown, or the file can't be read.
    """
    return _content(project, owners_file(project))


def owners_are_current(project: Project) -> bool:
    """Whether the rules in the file match the sides, teams and level.

    Raises:
        HandoffError: Provider or teams are unknown, or the file can't be read.
    """
    file = owners_file(project)
    if not file.exists():
        return False
    written = _rules_in(file.read_bytes().decode())
    # Earlier engines wrote no rules for places without files.
    return any(
        written == _rules_in(_content(project, file, only_existing=only)) for only in (False, True)
    )


def _rules_in(text: str) -> list[str]:
    # The wording of comments differs between versions of the engine.
    return [line for line in text.splitlines() if not line.startswith("#")]


def _content(project: Project, file: Path, *, only_existing: bool = False) -> str:
    """The team's own lines, with the block between its two marks."""
    if not all(project.teams):
        raise _invalid_answers(project, "it lacks the two teams: run `uv run poe update`")
    provider = _provider(project)
    handles = (handle.removeprefix("@") for handle in project.teams)
    teams = dict(zip(SIDES, handles, strict=True))
    prefix = prefix_of(project.root)
    marks = [f"{mark} of {prefix.rstrip('/')}" if prefix else mark for mark in (_BEGIN, _END)]
    above, below = _own_lines(file, *marks)
    if above and not above.endswith("\n"):
        above += "\n"
    block = [
        f"{marks[0]}: `uv run poe fix` writes these lines from sides, teams and level.",
        *provider.lines(
            [
                replace(rule, place=prefix + rule.place)
                for rule in _rules_of(project, file, only_existing=only_existing)
            ],
            teams,
        ),
        f"{marks[1]}: lines of your own go above{provider.advice}",
    ]
    return above + "".join(f"{line}\n" for line in block) + below


def _provider(project: Project) -> _Provider:
    if project.ci not in _PROVIDERS:
        names = ", ".join(_PROVIDERS)
        command = "uv run poe update --data ci=…"
        raise _invalid_answers(project, f"`ci` must be one of {names}: run `{command}`")
    return _PROVIDERS[project.ci]


def _invalid_answers(project: Project, problem: str) -> SettingsError:
    file = project.root / ".copier-answers.yml"
    return SettingsError(file, 1, f"{problem}.", location=(), kind="answers")


def _own_lines(file: Path, begin: str, end: str) -> tuple[str, str]:
    """The lines above and below the block; without a block all lines are above it."""
    try:
        # Not as text, which would change the line ends.
        lines = file.read_bytes().decode().splitlines(keepends=True) if file.exists() else []
    except UnicodeDecodeError as error:
        raise HandoffError(f"{file} is not UTF-8: save it as UTF-8.") from error
    marks = [n for n, line in enumerate(lines) if _is_mark(line, begin) or _is_mark(line, end)]
    if not marks:
        return "".join(lines), ""
    if [lines[n].startswith(begin) for n in marks] != [True, False]:
        raise HandoffError(
            f"{file} needs one line `{begin}…` and below it one `{end}…`: correct or delete them."
        )
    return "".join(lines[: marks[0]]), "".join(lines[marks[1] + 1 :])


def _is_mark(line: str, mark: str) -> bool:
    """Whether a line is a mark of this project, not of one in a subfolder."""
    rest = line.removeprefix(mark)
    return rest != line and rest[:1].strip() in ("", ":") and not rest.startswith(" of ")


def _rules_of(project: Project, file: Path, *, only_existing: bool) -> list[OwnerRule]:
    """The rules, outer folders first: the last one that fits applies.

    A place has its rule before it has files, so that a new file changes no rules. The files of
    another provider, or in another place, get one only if they exist.
    """
    own = project.answerable
    rules = [
        OwnerRule(name, approvers(name, project.package, own, project.level))
        for name in sorted(places(project.package, own))
        if project.root / name == file
        or not (only_existing or name in HOSTING)
        or _has_files(project.root / name)
    ]
    return [
        rule
        for rule in rules
        if rule.sides or any(outer.sides and covers(outer.place, rule.place) for outer in rules)
    ]


def _has_files(place: Path) -> bool:
    inside = place.rglob("*") if place.is_dir() else [place]
    return any(path.is_file() and "__pycache__" not in path.parts for path in inside)


def _github(rules: Sequence[OwnerRule], teams: Teams) -> Iterator[str]:
    for rule in rules:
        yield " ".join([_pattern(rule.place), *_handles(rule.sides, teams)])


def _gitlab(rules: Sequence[OwnerRule], teams: Teams) -> Iterator[str]:
    """A section for each team: GitLab requires an approval from every section that fits."""
    for sides in _by_team(teams):
        yield from ("", f"[{' and '.join(sides)}] {_handles(sides, teams)[0]}")
        for rule, is_approver in _relevant(sides, rules):
            others = [] if is_approver else _handles(rule.sides, teams)
            negation = "" if rule.sides else "!"
            yield " ".join([negation + _pattern(rule.place), *others])


def _azure(rules: Sequence[OwnerRule], teams: Teams) -> Iterator[str]:
    """A policy for each team: Azure requires an approval by every policy that fits."""
    yield from (
        "# Run it once, as a user who may edit policies: REPOSITORY_ID=… sh branch-policies.sh",
        "# (`az repos list` shows the id). Policies add up: after a change of this file, delete",
        "# the earlier ones (`az repos policy list`, `az repos policy delete --id …`).",
        "set -eu",
    )
    for sides in _by_team(teams):
        paths = [
            f"{'' if is_approver else '!'}/{rule.place}{'*' if rule.place.endswith('/') else ''}"
            for rule, is_approver in _relevant(sides, rules)
        ]
        yield "az repos policy required-reviewer create --blocking true --enabled true \\"
        yield '  --repository-id "$REPOSITORY_ID" --branch "${BRANCH:-main}" \\'
        yield f"  --required-reviewer-ids {shlex.quote(teams[sides[0]])} \\"
        yield f"  --message {shlex.quote(' and '.join(sides) + ' must agree')} \\"
        yield f"  --path-filter {shlex.quote(';'.join(paths))}"


_PROVIDERS = {
    "github": _Provider(
        (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
        "CODEOWNERS",
        _github,
        " or below; the last line that fits a path counts.",
    ),
    "gitlab": _Provider(
        ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
        "CODEOWNERS",
        _gitlab,
        "; below, under a section of their own.",
    ),
    "azure": _Provider(("branch-policies.sh",), "branch-policies.sh", _azure, " or below."),
}


def _by_team(teams: Teams) -> list[list[str]]:
    """The sides of each team."""
    grouped: dict[str, list[str]] = {}
    for side, handle in teams.items():
        grouped.setdefault(handle, []).append(side)
    return list(grouped.values())


def _relevant(sides: Sequence[str], rules: Sequence[OwnerRule]) -> Iterator[tuple[OwnerRule, bool]]:
    """The rules with one of the sides (True), and the exceptions inside them (False)."""
    approved: list[OwnerRule] = []
    for rule in rules:
        if set(sides) & set(rule.sides):
            approved.append(rule)
            yield rule, True
        elif any(covers(outer.place, rule.place) for outer in approved):
            yield rule, False


def _handles(sides: Sequence[str], teams: Teams) -> list[str]:
    """The handles of sides as CODEOWNERS writes them, each once."""
    return [*dict.fromkeys(f"@{teams[side]}" for side in sides)]


def _pattern(place: str) -> str:
    return "/" + place.replace(" ", "\\ ")
