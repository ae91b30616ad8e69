"""The commits that edit some paths, with their authors."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from baton_handoff.core.git import git
from baton_handoff.core.git_snapshots import Edit, GitSnapshots, edits_of

_LOG = (
    *("log", "--no-merges", "--topo-order", "--reverse", "--format=%x01%H%x00%ae"),
    *("--raw", "--no-abbrev", "-z", "--no-renames", "--relative"),
)


@dataclass(frozen=True)
class Commit:
    """A commit, or the uncommitted changes.

    Attributes:
        identifier: Its id, empty for the uncommitted changes.
        author: The address of its author.
        edits: What it edits.
    """

    identifier: str
    author: str
    edits: Sequence[Edit]


def commits_of(
    root: Path, snapshots: GitSnapshots, since: str, paths: Collection[str]
) -> list[Commit]:
    """The commits after another one that edit some paths, oldest first, with these edits.

    Merge commits don't count: a provider makes one for every pull request. Uncommitted edits are
    the last one, whose author is `you`.
    """
    commits = []
    for text in git(root, *_LOG, f"{since}..HEAD").split("\1")[1:]:
        identifier, author, changes = text.split("\0", 2)
        commits.append(Commit(identifier, author, edits_of(changes.strip("\n\0"))))
    uncommitted = snapshots.edits(snapshots.of_commit("HEAD"), snapshots.working_directory())
    commits.append(Commit("", "you", uncommitted))
    own = [
        Commit(one.identifier, one.author, [edit for edit in one.edits if edit.path in paths])
        for one in commits
    ]
    return [commit for commit in own if commit.edits]
