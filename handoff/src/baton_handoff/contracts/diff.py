"""Compare the contracts of two snapshots: judge every difference and give an example of it."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from baton_handoff.config.project import Project, project_at
from baton_handoff.contracts.changes import ChangeKind, ContractChange, ContractComparison
from baton_handoff.contracts.compatibility import compare, compare_all
from baton_handoff.contracts.constraints import Form
from baton_handoff.contracts.examples import Example, example_of
from baton_handoff.contracts.isolated_reader import (
    ReadContracts,
    Reader,
    ReaderCache,
    UnreadableContractsError,
    reading,
)
from baton_handoff.contracts.places import Place, Places
from baton_handoff.contracts.protocol import compare_protocol
from baton_handoff.contracts.sentences import change_text, example_text, version_advice
from baton_handoff.contracts.wheel import wheel_package
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import text_of
from baton_handoff.core.git_snapshots import Base, GitSnapshots, snapshots_of
from baton_handoff.reporting.findings import Finding

_HERE = "the working directory"
CHANGELOG = "CHANGELOG.md"
"""The file of the changes, in the folder of the contracts."""


@dataclass(frozen=True)
class ExplainedChange:
    """One change, its place in the code, and an example if one was found."""

    change: ContractChange
    place: Place | None
    example: Example | None


@dataclass(frozen=True)
class Difference:
    """A contract that changed.

    Attributes:
        comparison: What changed, and what follows.
        changes: Each change with its place and example.
        level: The higher level of both states: from 1 on, a version that is not raised blocks.
        recorded: Whether the changelog of the contracts gained the entry of its removal.
    """

    comparison: ContractComparison
    changes: tuple[ExplainedChange, ...]
    level: int
    recorded: bool = False


@dataclass(frozen=True)
class Comparison:
    """The contracts of the working directory compared with those of a base.

    Attributes:
        base: The base, or the path of a wheel.
        differences: The contracts that changed.
    """

    base: Base | str
    differences: list[Difference]


class NoBaseContractsError(HandoffError):
    """The base has no contracts, so there is nothing to compare with."""


def compare_with_base(project: Project, base: str | None = None) -> Comparison:
    """Compare the contracts of the working directory with an earlier state of them.

    Args:
        project: The project.
        base: A commit, the path of a wheel from `handoff contract wheel`, or None for
            `GitSnapshots.base`.

    Raises:
        NoBaseContractsError: There is no commit, or the base has no contracts.
        HandoffError: The base can't be found, or the contracts of either state can't be imported.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        package = f"{project.package}.contracts"
        # It imports the contracts while git writes those of the base.
        with reading(project.root / "src", package, _HERE) as after:
            earlier, source, former, cache = _earlier(project, base, snapshots, scratch)
            level = max(project_at(source.parent, project).level, project.level)
            folder, own = source.joinpath(*former.split(".")), project.source / "contracts"
            places = Places(folder, own, project.root / "src")
            recorded = removals(_changelog(folder), _changelog(own))
            with reading(source, former, str(earlier), cache) as before:
                if _contents(folder) != _contents(own):
                    before.start()
                found = [
                    Difference(
                        comparison,
                        tuple(_explained(change, before, after, places) for change in changes),
                        level,
                        comparison.contract in recorded,
                    )
                    for comparison in comparisons(before, after)
                    if (changes := comparison.changes)
                ]
    return Comparison(earlier, found)


def _contents(folder: Path) -> dict[str, bytes]:
    """Return the content of each module below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.py")}


def removals(before: str, after: str) -> set[str]:
    """The contracts whose removal a changelog records that an earlier one does not."""
    new = {*after.splitlines()} - {*before.splitlines()}
    lines = (re.fullmatch(r"## (.+) removed, [^,]*", line) for line in new)
    return {line[1] for line in lines if line}


def _changelog(folder: Path) -> str:
    """The changelog in a folder of contracts, empty without one."""
    return text_of(folder / CHANGELOG)


def _earlier(
    project: Project, base: str | None, snapshots: GitSnapshots, scratch: Path
) -> tuple[Base | str, Path, str, ReaderCache | None]:
    """Return the base, the folder and the package of its contracts, and what is known of them."""
    if base is None or not base.endswith(".whl"):
        if base is None and not snapshots.has_commits:
            raise NoBaseContractsError(
                "There is no commit yet, so nothing was compared with these contracts."
            )
        found = snapshots.base(base)
        tree = snapshots.of_commit(found.commit)
        if not snapshots.has_contracts(tree):
            raise NoBaseContractsError(
                f"Nothing was compared: {found} has no contracts, so these are the first."
            )
        folder = snapshots.check_out(tree, scratch / "base")
        # A package that was renamed since has its former name there.
        package = f"{project_at(folder, project).package}.contracts"
        tree_of_source = snapshots.part(tree, "src")
        cache = ReaderCache(project.local / "base_contracts.json", tree_of_source, package)
        return found, folder / "src", package, cache
    try:
        with zipfile.ZipFile(base) as wheel:
            wheel.extractall(scratch / "wheel")
    except (OSError, zipfile.BadZipFile) as error:
        raise HandoffError(f"{base} can't be read as a wheel: {error}") from error
    return base, scratch / "wheel", wheel_package(project.package), None


def comparisons(before: ReadContracts, after: ReadContracts) -> Iterator[ContractComparison]:
    """Compare every contract of two states."""
    hidden = {n: form for n, form in after.unexported.items() if n in before.contracts}
    contracts = {**hidden, **after.contracts}
    for name in sorted({*before.contracts, *contracts}):
        yield compare(
            before.contracts.get(name),
            contracts.get(name),
            exported=name not in hidden,
            descriptions=(before.descriptions.get(name, {}), after.descriptions.get(name, {})),
        )
    for name in sorted({*before.protocols, *after.protocols}):
        yield compare_protocol(name, before.protocols.get(name), after.protocols.get(name))
    yield from compare_all(before.api, after.api)


def _explained(
    change: ContractChange, before: Reader, after: Reader, places: Places
) -> ExplainedChange:
    old, new = before.tables.get(change.contract), after.tables.get(change.contract)
    example = None
    if old and new and _shows_in_rows(change, old, new):
        # Only an illustration: code of a check that fails for a made-up row changes no result.
        with suppress(UnreadableContractsError):
            example = example_of(change, old, new, before.accepts, after.accepts)
    return ExplainedChange(change, places.of(change), example)


def _shows_in_rows(change: ContractChange, old: Form, new: Form) -> bool:
    """Whether rows of plain values can show a change; they have neither exact types nor indexes."""
    if change.kind in _WITHOUT_EXAMPLE:
        return False
    columns = [form["columns"].get(change.column) for form in (old, new)]
    if change.column is None or None in columns:
        return change.column is None or any(columns)
    before, after = (column or {} for column in columns)
    exact = ("dtype", "categories", "dtype_code")
    return before["type"] != after["type"] or all(before.get(k) == after.get(k) for k in exact)


_WITHOUT_EXAMPLE = (
    *(ChangeKind.ENGINE, ChangeKind.INDEX, ChangeKind.METADATA, ChangeKind.UNCOMPARABLE),
    *(ChangeKind.UNEXPORTED, ChangeKind.OPTION),
)


def findings(differences: list[Difference]) -> Iterator[Finding]:
    """Yield each change as advice, and each version that is not raised as a finding that blocks.

    At level 0 nothing blocks.
    """
    for difference in differences:
        comparison = difference.comparison
        for explained in difference.changes:
            change, place = explained.change, explained.place
            yield Finding(
                "contract-change",
                change_text(change),
                blocks=False,
                side=" and ".join(comparison.sides_of(change.breaks)) or None,
                file=f"src/{place.file}" if place else None,
                line=place.line if place else None,
                evidence=tuple(_evidence(explained)),
            )
        if comparison.required_version:
            place = difference.changes[0].place
            yield Finding(
                "contract-version",
                f"{comparison.contract} is still version {comparison.version_after or 'none'}, and"
                f" this is a {comparison.bump} change",
                blocks=difference.level > 0,
                side=None,
                file=f"src/{place.file}" if place else None,
                line=place.line if place else None,
                fix=version_advice(comparison),
            )
        elif comparison.version_before and comparison.version_after is None:
            place = difference.changes[0].place
            if not difference.recorded:
                yield Finding(
                    "contract-version",
                    f"{comparison.contract} was removed, and {CHANGELOG} of the contracts does not"
                    " record it",
                    blocks=difference.level > 0,
                    side=None,
                    file=f"src/{place.file}" if place else None,
                    line=place.line if place else None,
                    fix="put it back, or record the removal:"
                    " `uv run handoff contract diff --changelog`",
                )


def _evidence(explained: ExplainedChange) -> Iterator[str]:
    broken = " and ".join(explained.change.breaks)
    yield explained.change.direction + (f"; breaking for {broken}" if broken else "")
    if explained.example:
        yield f"for example {example_text(explained.example, explained.change)}"


def write_changelog(project: Project, differences: list[Difference]) -> None:
    """Add the changes at the top of `contracts/CHANGELOG.md`."""
    file = project.source / "contracts" / CHANGELOG
    title = "# Changes of the contracts\n\n"
    known = file.read_text(encoding="utf-8").removeprefix(title) if file.exists() else ""
    entry = changelog_entry(differences, datetime.now(UTC).date().isoformat())
    # A section of the same version is replaced: the version has not been released since.
    new = {_version_heading(section) for section in _sections(entry)}
    rest = [section for section in _sections(known) if _version_heading(section) not in new]
    file.write_text("".join([title, entry, *rest]), encoding="utf-8")


def _sections(changelog: str) -> list[str]:
    return [s for s in re.split(r"^(?=## )", changelog, flags=re.MULTILINE) if s]


def _version_heading(section: str) -> str:
    """Return the heading of a section without its date."""
    return section.partition("\n")[0].rpartition(", ")[0]


def changelog_entry(differences: list[Difference], day: str) -> str:
    """Return the changes as sections of the changelog, one for each contract.

    Args:
        differences: What changed.
        day: The date.
    """
    lines = []
    for difference in differences:
        comparison = difference.comparison
        after = "removed" if comparison.version_after is None else comparison.version_after
        version = f" {after}" if after else ""
        lines.append(f"## {comparison.contract}{version}, {day}\n")
        if comparison.consent:
            lines.append(f"Breaking: {' and '.join(comparison.consent)} must follow.\n")
        for explained in difference.changes:
            text = example_text(explained.example, explained.change) if explained.example else ""
            lines.append(
                f"- {change_text(explained.change)}{f' (for example {text})' if text else ''}"
            )
        lines.append("")
    return "\n".join(lines)
