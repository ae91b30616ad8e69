"""Definition of done: a change brings its tests, deletes none, and describes its new features.

The rest of the documentation (data dictionary, API page, figures of the model card) is generated
from the code.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES, covers
from baton_handoff.policy.status.base_policy import (
    ProjectChange,
    change_since,
    loosened,
    uncompared,
)
from baton_handoff.policy.status.deleted_tests import DeclaredTest, brings_tests, deleted_tests
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import parse_valid
from baton_handoff.source_code.static_contracts import declared_contracts, normalized_code

_CHECK = "definition-of-done"

DELETED_CHECK = "deleted-test"
"""The check of findings that a change deletes a test or switches it off."""

_TESTED_ROOMS = ("features", "model", "serving")
"""Folders of the package of which each change brings a test."""

_HELPER_SUFFIXES = (".md", ".py", ".txt")
"""Suffixes of files under tests/ that are no tests unless their name begins with `test_`."""

_BLOCKS_FROM = 2
"""The level from which on a missing test or description blocks a push."""


@dataclass(frozen=True)
class ChangedFile:
    """A file that a change edits.

    Attributes:
        path: The path, relative to the project.
        before: Its text in the base, None if it did not exist.
        after: Its text now, None if it is gone.
    """

    path: str
    before: str | None
    after: str | None

    def content(self, text: str | None) -> str:
        """The part of one of its texts that matters: of Python what matters when it runs."""
        return normalized_code(text or "") if self.path.endswith(".py") else text or ""

    @property
    def is_test(self) -> bool:
        """True for a test, and for what tests compare with: scenarios, golden rows."""
        path = PurePosixPath(self.path)
        helper = path.suffix in _HELPER_SUFFIXES and not path.name.startswith("test_")
        return covers("tests/", self.path) and not helper

    @property
    def brings_tests(self) -> bool:
        """Whether there is more in it than before; a test file may also only lose tests."""
        is_python = self.path.endswith(".py")
        return not is_python or brings_tests(self.before or "", self.after or "")


def check_done(project: Project, base: str | None = None) -> list[Finding]:
    """What the change in the working directory lacks and loosens, judged by the base policy.

    Args:
        project: The project.
        base: The commit or branch to merge into; None for the commit that this branch started from.

    Raises:
        HandoffError: `base` can't be used.
    """
    with change_since(project, base) as change:
        if change is None:
            return []
        return [
            *missing_parts(change),
            *loosened(change.policy, change.head),
            *uncompared(change),
        ]


def missing_parts(change: ProjectChange) -> list[Finding]:
    """The tests and descriptions that a change does not bring."""
    files = [
        ChangedFile(path, _text(change.folder / path), _text(change.head.root / path))
        for path in change.paths
        if matters(change.policy, path)
    ]
    return missing_in(change.policy, files)


def matters(project: Project, path: str) -> bool:
    """Whether a change of a path may lack something, or bring what another one lacks."""
    is_code = covers(f"src/{project.package}/", path) and path.endswith(".py")
    return is_code or covers("tests/", path)


def missing_in(project: Project, files: Sequence[ChangedFile]) -> list[Finding]:
    """The tests and descriptions that changed files lack, judged by the level of a project."""
    return [*_missing_tests(project, files), *_missing_descriptions(project, files)]


def _missing_tests(project: Project, files: Sequence[ChangedFile]) -> Iterator[Finding]:
    # A renamed file contains what it contained before, be it code or a test.
    renamed = {file.content(file.before) for file in files if file.after is None}
    changed = [
        file
        for file in files
        if file.content(file.after) not in {"", file.content(file.before), *renamed}
    ]
    yield from _deleted_tests(project, files)
    if any(file.is_test and file.brings_tests for file in changed):
        return
    for file in changed:
        if any(covers(f"src/{project.package}/{room}/", file.path) for room in _TESTED_ROOMS):
            yield Finding(
                _CHECK,
                f"{file.path} behaves differently, and no test changes with it",
                blocks=project.level >= _BLOCKS_FROM,
                side=project.side_of(file.path),
                file=file.path,
                fix="add or change a test of the new behaviour under tests/, in this change",
            )


def _deleted_tests(project: Project, files: Sequence[ChangedFile]) -> Iterator[Finding]:
    tests = [file for file in files if covers("tests/", file.path)]
    code = [file for file in files if file not in tests]
    # A test of what the change removes has nothing left to test.
    before, after = (
        {word for text in texts for word in re.findall(r"\w+", text or "")}
        for texts in ([file.before for file in code], [file.after for file in code])
    )
    found = deleted_tests(
        {file.path: file.before for file in tests if file.before is not None},
        {file.path: file.after for file in tests if file.after is not None},
    )
    missed = [one for one in found if not one[0].uses & (before - after)]
    yield from deletions(missed, project, blocks=project.level >= _BLOCKS_FROM)


def deletions(
    tests: Iterable[tuple[DeclaredTest, bool]], project: Project, *, blocks: bool
) -> Iterator[Finding]:
    """A finding for each file with tests that no longer test, as `deleted_tests` found them."""
    by_file: dict[tuple[str, bool], list[DeclaredTest]] = {}
    for test, is_off in tests:
        by_file.setdefault((test.file, is_off), []).append(test)
    for (file, is_off), (first, *more) in by_file.items():
        what = "skips or expects to fail" if is_off else "deletes"
        those = f" and {len(more)} more" if more else ""
        yield Finding(
            DELETED_CHECK,
            f"The change {what} the test {first.name}{those}",
            blocks=blocks,
            side=project.side_of(file),
            file=file,
            line=first.line if is_off else None,
            fix="restore it, or change it to test the new behaviour",
            evidence=tuple(test.identifier for test in more),
        )


def _missing_descriptions(project: Project, files: Sequence[ChangedFile]) -> Iterator[Finding]:
    contracts = [f for f in files if covers(f"src/{project.package}/contracts/", f.path)]
    before = declared_contracts(parse_valid({f.path: f.before or "" for f in contracts}))
    known = {(contract.name, column) for contract in before for column in contract.columns}
    after = [*declared_contracts(parse_valid({f.path: f.after or "" for f in contracts}))]
    # A column that an internal contract inherits from an input or output is no new feature.
    interfaces = [one for one in after if one.metadata.get("position") not in (None, "internal")]
    seen = {column for contract in interfaces for column in contract.columns.values()}
    for contract in (one for one in after if one.metadata.get("position") == "internal"):
        for name, column in contract.columns.items():
            if (contract.name, name) in known or column.described or column in seen:
                continue
            seen.add(column)
            producer = str(contract.metadata.get("producer"))
            yield Finding(
                _CHECK,
                f"The new feature {contract.name}.{name} has no description",
                blocks=project.level >= _BLOCKS_FROM,
                side=producer if producer in SIDES else None,
                file=column.file,
                line=column.line,
                fix="add `Field(description=…)`: the data dictionary and the feature catalogue are"
                " generated from it",
            )


def _text(file: Path) -> str | None:
    if not file.is_file():
        return None
    # Golden rows and modules in an old encoding are only compared, so any text will do.
    return file.read_text(encoding="utf-8", errors="surrogateescape")
