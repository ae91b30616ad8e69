"""The merges of a project, and a clone in which each of them can be looked at."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from baton_handoff.config.project import Project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.git import git, prefix_of, repository_root
from baton_handoff.core.git_snapshots import GitSnapshots

_LOG = "--format=%H%x00%cs%x00%an%x00%s"
_AUTHORS = "--format=%ae%n%(trailers:key=Co-authored-by,valueonly)"

_OF_THIS_MACHINE = ("MLFLOW_TRACKING_URI", "HANDOFF_ALIAS", "HANDOFF_LOCAL", "PYTEST_ADDOPTS")
"""Variables that tell something of the present, not of an old commit."""


@dataclass(frozen=True)
class Merge:
    """One commit of the main line: a merge, a squashed pull request, or a direct push.

    Attributes:
        commit: Its id.
        day: The day on which it came to the main line.
        author: The name of its author.
        title: The first line of its message.
        tree: The snapshot of the project.
    """

    commit: str
    day: date
    author: str
    title: str
    tree: str

    def __str__(self) -> str:
        return f"{self.commit[:7]} of {self.day}, {self.author}: {self.title}"


def merges_of(root: Path, snapshots: GitSnapshots, since: str | None) -> tuple[list[Merge], int]:
    """The merges that changed a project, oldest first.

    Args:
        root: The project's folder.
        snapshots: Its snapshots.
        since: The commit before the first one; None for the whole history.

    Returns:
        The first is the state to begin with. The number counts earlier ones without handoff.toml.

    Raises:
        HandoffError: `since` is not an earlier commit of this branch.
    """
    head = snapshots.commit("HEAD")
    if since:
        snapshots.commits_between(since, head)  # reports a wrong one
    log = git(root, "log", "--first-parent", "--reverse", "-z", _LOG, head).split("\0")
    entries = [tuple(log[n : n + 4]) for n in range(0, len(log) - 3, 4)]
    if since:
        first = snapshots.commit(since)
        entries = entries[[entry[0] for entry in entries].index(first) :]
    prefix = prefix_of(root)
    names = (
        f"{entry[0]}:{path}\n" for entry in entries for path in (prefix, f"{prefix}handoff.toml")
    )
    found = git(root, "cat-file", "--batch-check=%(objectname)", stdin="".join(names)).splitlines()
    merges: list[Merge] = []
    earlier = 0
    for (commit, day, author, title), tree, settings in zip(
        entries, found[::2], found[1::2], strict=True
    ):
        if settings.endswith(" missing"):
            earlier += not merges
        elif not merges or tree != merges[-1].tree:
            merges.append(Merge(commit, date.fromisoformat(day), author, title, tree))
    return merges, earlier


def side_of_authors(root: Path, before: Merge, merge: Merge, project: Project) -> str | None:
    """The side of those who wrote a merge, as handoff.toml lists them; None if it is not one."""
    log = git(root, "log", "--no-merges", _AUTHORS, f"{before.commit}..{merge.commit}")
    addresses = {line.rpartition("<")[2].rstrip("> ").lower() for line in log.splitlines()}
    sides = {
        side
        for side in SIDES
        if not addresses.isdisjoint(one.lower() for one in project.people.get(side, ()))
    }
    return sides.pop() if len(sides) == 1 else None


class Clone:
    """A clone whose work tree moves from commit to commit; the repository itself only is read."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._folder, self._prefix = folder, prefix_of(root)
        source = str(repository_root(root))
        # No template: a clone without hooks. Its objects are those of the repository.
        options = ("--quiet", "--shared", "--no-checkout", "--template=")
        git(folder.parent, "clone", *options, "--", source, str(folder))

    def at(self, commit: str) -> Path:
        """The folder of the project as a commit has it."""
        options = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false")
        env = {"GIT_LFS_SKIP_SMUDGE": "1"}
        git(self._folder, *options, "checkout", "--quiet", "--force", "--detach", commit, env=env)
        return self._folder / self._prefix


@contextmanager
def clone_of(root: Path) -> Iterator[Clone]:
    """Yield a clone, without the variables of this machine; remove it afterwards."""
    hidden = {name: os.environ.pop(name) for name in _OF_THIS_MACHINE if name in os.environ}
    try:
        with TemporaryDirectory(prefix="handoff-") as scratch:
            yield Clone(root, Path(scratch).resolve() / "clone")
    finally:
        os.environ.update(hidden)
