"""Definition of done: a change brings its tests and says what its new features mean.

What the documentation holds beside that, the data dictionary, the API's page, the model card's
figures, is made from the code, so nobody is asked for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES, covers
from baton_handoff.core.git_snapshots import GitSnapshots, snapshots_of
from baton_handoff.policy.status.base_policy import at_once, loosened, stated_before, stricter
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import parse_valid
from baton_handoff.source_code.static_contracts import declared_contracts, normalized_code

ROOMS = ("features", "model", "serving")
"""Whose changes bring their tests along."""

_NO_TESTS = (".md", ".py", ".txt")
"""What lies below tests/ and is none, if it is not called so: a helper, what explains them."""

BLOCKS_FROM = 2
"""The level from which on a change that is not done may not be pushed; below it is advice."""


@dataclass(frozen=True)
class Changed:
    """One file that a change makes another.

    Attributes:
        path: The path, relative to the project.
        before: What stood in it, None where it was not there.
        after: What stands in it, None where it is gone.
    """

    path: str
    before: str | None
    after: str | None

    @property
    def does(self) -> str:
        """What it does now, as a text; empty where it does nothing or is gone."""
        return normalized_code(self.after or "") if self.path.endswith(".py") else self.after or ""

    @property
    def did(self) -> str:
        """What it did."""
        return (
            normalized_code(self.before or "") if self.path.endswith(".py") else self.before or ""
        )


def what_is_not_done(project: Project, base: str | None = None) -> list[Finding]:
    """What the working directory's change lacks, judged by the stricter of base and change.

    Args:
        project: The project.
        base: The commit, or branch, that the work is to be merged into; None for what this branch
            goes back to (`GitSnapshots.merge_base`).

    Raises:
        HandoffError: `base` can't be used.
    """
    with snapshots_of(project.root) as (snapshots, scratch):
        if base is None and not snapshots.has_commits:
            return []
        tree = snapshots.of_commit(snapshots.merge_base(base))
        before = scratch / "base"
        was = stated_before(project, snapshots, tree, before)
        return [
            *lacking(stricter(was, project), snapshots, tree, before),
            *loosened(was, project),
            *at_once(project, snapshots, tree, before),
        ]


def lacking(project: Project, snapshots: GitSnapshots, tree: str, before: Path) -> list[Finding]:
    """What the working directory's change lacks.

    Args:
        project: The project as it judges the change.
        snapshots: Its snapshots.
        tree: The tree that the change began with.
        before: The folder that it was written to.
    """
    edits = snapshots.edits(tree, snapshots.working_directory())
    paths = [edit.path for edit in edits if _is_looked_at(project, edit.path)]
    changes = [Changed(path, _text(before / path), _text(project.root / path)) for path in paths]
    return findings(project, changes)


def findings(project: Project, changes: Sequence[Changed]) -> list[Finding]:
    """What a change lacks.

    Args:
        project: The project as it judges the change.
        changes: The files that the change makes others.
    """
    return [*_without_tests(project, changes), *_without_meaning(project, changes)]


def _without_tests(project: Project, changes: Sequence[Changed]) -> Iterator[Finding]:
    # What only got another name does what it did, in the code as in the tests.
    gone = {change.did for change in changes if change.after is None}
    new = [change for change in changes if _does_otherwise(change) and change.does not in gone]
    if any(_is_test(change) for change in new):
        return
    for change in new:
        if any(_is_below(change, f"src/{project.package}/{room}/") for room in ROOMS):
            yield Finding(
                "definition-of-done",
                f"{change.path} does something else now, and no test changed with it",
                blocks=project.level >= BLOCKS_FROM,
                side=project.side_of(change.path),
                file=change.path,
                fix="state what it does now as a test under tests/, in this change",
            )


def _without_meaning(project: Project, changes: Sequence[Changed]) -> Iterator[Finding]:
    stated = [c for c in changes if _is_below(c, f"src/{project.package}/contracts/")]
    earlier = declared_contracts(parse_valid({c.path: c.before or "" for c in stated}))
    known = {(contract.name, column) for contract in earlier for column in contract.columns}
    now = [*declared_contracts(parse_valid({c.path: c.after or "" for c in stated}))]
    # What a contract of the border states is no feature of the one that derives from it.
    others = [one for one in now if one.metadata.get("position") not in (None, "internal")]
    said = {how for contract in others for how in contract.columns.values()}
    for contract in (one for one in now if one.metadata.get("position") == "internal"):
        for column, how in contract.columns.items():
            if (contract.name, column) in known or how.described or how in said:
                continue
            said.add(how)
            producer = str(contract.metadata.get("producer"))
            yield Finding(
                "definition-of-done",
                f"The new feature {contract.name}.{column} does not say what it means",
                blocks=project.level >= BLOCKS_FROM,
                side=producer if producer in SIDES else None,
                file=how.file,
                line=how.line,
                fix="add `Field(description=…)`: the data dictionary and the catalogue of"
                " features are made from it",
            )


def _is_looked_at(project: Project, path: str) -> bool:
    """Whether a path has to do with it: tests of every kind, and our own modules."""
    if covers("tests/", path):
        return True
    return covers(f"src/{project.package}/", path) and path.endswith(".py")


def _is_test(change: Changed) -> bool:
    """Whether it is a test, or what one is held against: scenarios, golden rows."""
    path = PurePosixPath(change.path)
    helps = path.suffix in _NO_TESTS and not path.name.startswith("test_")
    return _is_below(change, "tests/") and not helps


def _is_below(change: Changed, folder: str) -> bool:
    return covers(folder, change.path)


def _does_otherwise(change: Changed) -> bool:
    return change.does not in ("", change.did)


def _text(file: Path) -> str | None:
    """What a file says; None where it is not there."""
    if not file.is_file():
        return None
    # Of golden rows, or a module in an old encoding, all that matters is that they changed.
    return file.read_text(encoding="utf-8", errors="surrogateescape")
