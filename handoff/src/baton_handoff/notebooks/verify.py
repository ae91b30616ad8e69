"""`notebook verify`: the tables with which a notebook ends, before a change and after it."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import changed_files, git, git_or_none
from baton_handoff.notebooks.kernel import kernel
from baton_handoff.notebooks.plain_tables import TableDifference, first_difference, in_one_order
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import Notebook, parse_module, read_module

CHECK = "notebook-results"
"""The name of the check."""


_Ending = Mapping[str, tuple[Path, bool]]


@dataclass(frozen=True)
class NotebookComparison:
    """The results of a notebook before and after.

    Attributes:
        base: The commit before.
        equal: The tables and values that are equal.
        different: Those that differ, with the first difference.
        alone: Those that only one of both has.
    """

    base: str
    equal: Sequence[str]
    different: Mapping[str, TableDifference]
    alone: Sequence[str]


def compare(project: Project, file: str, base: str = "") -> NotebookComparison:
    """Run a notebook as it was and as it is, and compare what it ends with.

    Both runs are in its folder of the work tree, with the same data; the run before imports the
    package as it was.

    Args:
        project: The project.
        file: The notebook, relative to the project.
        base: The commit before; without one the last commit if the notebook or the package has
            changed since, otherwise the one before the last change of the notebook.

    Raises:
        HandoffError: There is nothing to compare with, or a cell ends with an error.
    """
    root = project.root
    base = base or _base(project, file)
    old = git_or_none(root, "show", f"{base}:./{file}")
    if old is None:
        raise HandoffError(f"{file} is not in the commit {base}: choose another by --base.")
    before, after = parse_module(file, old), read_module(root, file)
    with tempfile.TemporaryDirectory(prefix="handoff-") as scratch:
        source = Path(scratch, "before")
        _write_package(project, base, source)
        with (
            _ending(project, before, [source / "src"]) as old_tables,
            _ending(project, after, [root / "src"]) as new_tables,
        ):
            return _compared(base, old_tables, new_tables)


def findings(project: Project, file: str, comparison: NotebookComparison) -> Iterator[Finding]:
    """A finding for each table that differs."""
    side = project.side_of(file)
    fix = f"correct the code, or commit the notebook if the new result of {file} is the right one"
    for name, one in comparison.different.items():
        match one:
            case TableDifference(column=""):
                message = f"`{name}` had {one.before:,} rows and has {one.after:,}"
            case TableDifference(row=None, after=None):
                message = f"`{name}` lacks the column `{one.column}`, which it had before"
            case TableDifference(row=None):
                message = f"`{name}` has the column `{one.column}`, which it had not before"
            case _:
                message = (
                    f"`{name}` differs first in column `{one.column}`, row {one.row:,} (from 0):"
                    f" {_shown(one.before)} before, {_shown(one.after)} now"
                )
        yield Finding(CHECK, message, True, side, file, None, fix)


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)


def _base(project: Project, file: str) -> str:
    if changed_files(project.root, [file, f"src/{project.package}"]):
        return "HEAD"
    last = git(project.root, "log", "-1", "--format=%H", "--", file).strip()
    before = git_or_none(project.root, "rev-parse", "--verify", f"{last}^") if last else None
    if before is None or git_or_none(project.root, "cat-file", "-e", f"{before}:./{file}") is None:
        raise HandoffError(
            f"There is no earlier version of {file} to compare with: change it, or name a commit by"
            " --base."
        )
    return before


def _write_package(project: Project, base: str, folder: Path) -> None:
    """Write the package as it was in a commit."""
    place = f"src/{project.package}/"
    listed = git(project.root, "ls-tree", "-r", "-z", "--name-only", base, "--", place)
    for file in filter(None, listed.split("\0")):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        text = git(project.root, "show", f"{base}:./{file}")
        (folder / file).write_text(text, encoding="utf-8", errors="surrogateescape", newline="")


@contextmanager
def _ending(project: Project, notebook: object, before_path: Sequence[Path]) -> Iterator[_Ending]:
    """The tables with which a notebook ends, by name: the file, whether it is one of Polars."""
    if not isinstance(notebook, Notebook):
        raise HandoffError("Only notebooks can be compared.")
    with tempfile.TemporaryDirectory(prefix="handoff-") as folder:
        with kernel((project.root / notebook.file).parent, before_path=before_path) as running:
            running.run_cells(notebook.code)
            written: dict[str, tuple[str, bool]] = running.call("tables", folder=folder)
        yield {name: (Path(folder, file), polars) for name, (file, polars) in written.items()}


def _compared(base: str, before: _Ending, after: _Ending) -> NotebookComparison:
    equal, different = [], {}
    for name in sorted({*before} & {*after}):
        (one, was_polars), (other, is_polars) = before[name], after[name]
        old, new = pq.read_table(one), pq.read_table(other)
        found = first_difference(old, new)
        if found and (was_polars or is_polars):  # Polars promises no order of groups
            same = {*old.column_names} == {*new.column_names} and _same_rows(old, new)
            found = None if same else found
        if found:
            different[name] = found
        else:
            equal.append(name)
    return NotebookComparison(base, equal, different, sorted({*before} ^ {*after}))


def _same_rows(one: pa.Table, other: pa.Table) -> bool:
    other = other.select(one.column_names)
    return first_difference(in_one_order(one), in_one_order(other)) is None
