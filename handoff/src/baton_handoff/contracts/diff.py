"""Compare the contracts of two snapshots: judge every difference and give an example of it."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from baton_handoff.config.project import Project, project_at
from baton_handoff.contracts.compatibility import Change, ContractComparison, compare_all
from baton_handoff.contracts.examples import Example, example_of
from baton_handoff.contracts.isolated_reader import Place, Reader, reading
from baton_handoff.contracts.protocol import compare_protocol
from baton_handoff.contracts.wheel import wheel_room
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git_snapshots import GitSnapshots, snapshots_of
from baton_handoff.reporting.findings import Finding

_HERE = "the working directory"


@dataclass(frozen=True)
class ExplainedChange:
    """One change, where it is stated, and a table that tells both states apart if one was found."""

    change: Change
    place: Place | None
    example: Example | None


@dataclass(frozen=True)
class Difference:
    """One contract that is not what it was.

    Attributes:
        comparison: What changed, and what follows.
        changes: Each change explained.
        level: How far that binds: the stricter of both states' levels.
    """

    comparison: ContractComparison
    changes: tuple[ExplainedChange, ...]
    level: int


def has_no_base_contracts(project: Project, base: str | None = None) -> bool:
    """Whether there is no earlier state yet: no commit, no Baton in the base, or no contracts.

    Raises:
        HandoffError: The base can't be found.
    """
    if (base or "").endswith(".whl"):
        return False
    with snapshots_of(project.root) as (snapshots, _):
        return _nothing_yet(snapshots, base)


def _nothing_yet(snapshots: GitSnapshots, base: str | None) -> bool:
    if base is None and not snapshots.has_commits:
        return True
    return not snapshots.has_contracts(snapshots.of_commit(snapshots.merge_base(base)))


def differences(project: Project, base: str | None = None) -> list[Difference]:
    """Judge the contracts of the working directory against an earlier state of them.

    Args:
        project: The project.
        base: A commit, the path of a wheel that `handoff contract wheel` has made, or None for
            `GitSnapshots.merge_base`. None differ if the base has no contracts yet.

    Raises:
        HandoffError: The earlier state can't be found, or contracts of either can't be imported.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        if not (base or "").endswith(".whl") and _nothing_yet(snapshots, base):
            return []
        source, room = _earlier(project, base, snapshots, scratch)
        level = max(project_at(source.parent, project).level, project.level)
        with (
            reading(source, room, base or "the base") as before,
            reading(project.root / "src", f"{project.package}.contracts", _HERE) as after,
        ):
            return list(_differences(before, after, level))


def _earlier(
    project: Project, base: str | None, snapshots: GitSnapshots, scratch: Path
) -> tuple[Path, str]:
    """The folder and the package of the contracts that stand for the earlier state."""
    if base is None or not base.endswith(".whl"):
        folder = snapshots.check_out(
            snapshots.of_commit(snapshots.merge_base(base)), scratch / "base"
        )
        return folder / "src", f"{project.package}.contracts"
    try:
        with zipfile.ZipFile(base) as wheel:
            wheel.extractall(scratch / "wheel")
    except (OSError, zipfile.BadZipFile) as error:
        raise HandoffError(f"{base} can't be read as a wheel: {error}") from error
    return scratch / "wheel", wheel_room(project.package)


def _differences(before: Reader, after: Reader, level: int) -> Iterator[Difference]:
    judged = [
        *compare_all(before.contracts, after.contracts),
        *(
            compare_protocol(name, before.protocols.get(name), after.protocols.get(name))
            for name in sorted({*before.protocols, *after.protocols})
        ),
        *compare_all(before.api, after.api),
    ]
    for comparison in judged:
        explained = tuple(_explained(change, before, after) for change in comparison.changes)
        if explained:
            yield Difference(comparison, explained, level)


def _explained(change: Change, before: Reader, after: Reader) -> ExplainedChange:
    name = change.contract
    place = after.place(name, change.column)
    if name in before.tables and name in after.tables:
        forms = before.tables[name], after.tables[name]
        return ExplainedChange(change, place, example_of(change, *forms, before, after))
    return ExplainedChange(change, place, None)


def findings(differences: list[Difference]) -> Iterator[Finding]:
    """Every change as a finding, and every version that has not been raised as one that blocks.

    At level 0 nothing blocks.
    """
    for difference in differences:
        comparison = difference.comparison
        for explained in difference.changes:
            change, place = explained.change, explained.place
            yield Finding(
                "contract-change",
                str(change),
                blocks=False,
                side=_sides(comparison, change),
                file=f"src/{place.file}" if place else None,
                line=place.line if place else None,
                evidence=tuple(_evidence(change, explained.example)),
            )
        if comparison.needed:
            place = next((explained.place for explained in difference.changes), None)
            yield Finding(
                "contract-version",
                f"{comparison.contract} is still version {comparison.now or 'none'}, and this is a"
                f" {comparison.bump} change",
                blocks=difference.level > 0,
                side=None,
                file=f"src/{place.file}" if place else None,
                line=place.line if place else None,
                fix=f"say {comparison.says.format(comparison.needed)}",
            )


def _sides(comparison: ContractComparison, change: Change) -> str | None:
    sides = dict.fromkeys(comparison.parties.get(role, role) for role in change.breaks)
    return " and ".join(sides) or None


def _evidence(change: Change, example: Example | None) -> Iterator[str]:
    broken = " and ".join(change.breaks)
    yield f"{change.direction}; breaking for {broken or 'nobody'}"
    if example:
        yield f"for example {example.about(change)}"


def write_changelog(project: Project, differences: list[Difference]) -> None:
    """Put the changes on top of `contracts/CHANGELOG.md`, as people read them."""
    file = project.source / "contracts" / "CHANGELOG.md"
    title = "# Changes of the contracts\n\n"
    known = file.read_text(encoding="utf-8").removeprefix(title) if file.exists() else ""
    entry = changelog_entry(differences, datetime.now(UTC).date().isoformat())
    # A version that is told again has been worked on since.
    again = {heading.rpartition(", ")[0] for heading in entry.splitlines() if heading[:3] == "## "}
    sections = re.split(r"^(?=## )", known, flags=re.MULTILINE)
    rest = "".join(s for s in sections if s.partition("\n")[0].rpartition(", ")[0] not in again)
    file.write_text(title + entry + rest, encoding="utf-8")


def changelog_entry(differences: list[Difference], day: str) -> str:
    """The changes as people read them: data contracts, model contracts, the API.

    Args:
        differences: What changed.
        day: The date, as it shall stand there.
    """
    lines = []
    for difference in differences:
        comparison = difference.comparison
        version = f" {comparison.now}" if comparison.now else ""
        lines.append(f"## {comparison.contract}{version}, {day}\n")
        if comparison.consent:
            lines.append(f"Breaking: {' and '.join(comparison.consent)} must follow.\n")
        for explained in difference.changes:
            example = explained.example
            shown = f" (for example {example.about(explained.change)})" if example else ""
            lines.append(f"- {explained.change}{shown}")
        lines.append("")
    return "\n".join(lines)
