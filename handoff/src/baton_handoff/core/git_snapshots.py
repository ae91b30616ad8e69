"""Snapshots of a project as git trees: the working directory, commits, and mixtures of the two.

Only git's plumbing, on an index and an object folder of its own: neither the working directory, nor
the index, nor the list of worktrees ever changes, whatever happens on the way.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import require_repository, run_git

_MAIN = ("origin/HEAD", "origin/main", "origin/master", "@{upstream}")
"""What a remote's main branch is called; only a clone knows its remote's own word for it."""


@dataclass(frozen=True)
class Edit:
    """One path that differs between two snapshots.

    Attributes:
        path: The path, relative to the project.
        entry: Its state in the second tree as git's index takes it; mode 0 where it is gone.
    """

    path: str
    entry: str


class GitSnapshots:
    """The snapshots of one project; git knows each by an identifier."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self._root = root
        self._scratch = scratch
        self._own: dict[str, str] = {}
        self._prefix = self._git("rev-parse", "--show-prefix").strip()
        self._folder = self._git("rev-parse", "--absolute-git-dir").strip()
        (scratch / "objects").mkdir()
        self._own = {
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self._path("objects")),
            "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
            # Not even to note there what it has just looked at.
            "GIT_OPTIONAL_LOCKS": "0",
        }

    def working_directory(self) -> str:
        """The tree of what stands there now, with what is not committed and not ignored."""
        index = self._scratch / "index"
        if self._path("index").exists():
            # With its time: by it git knows which files may have changed since unseen.
            shutil.copy2(self._path("index"), index)
        self._git("add", "--all", ".", index=index)
        return self._inside(self._git("write-tree", index=index).strip())

    def of_commit(self, commit: str) -> str:
        """The tree of a commit."""
        return self._inside(commit)

    @property
    def has_commits(self) -> bool:
        """Whether there is a commit at all."""
        return bool(self._commit("HEAD"))

    def merge_base(self, reference: str | None = None) -> str:
        """The commit at which this work left `reference`.

        Args:
            reference: A commit or a branch; None for the branch that this one follows, unless
                that is only its own pushed copy, then the remote's main branch, or else the last
                commit.

        Raises:
            HandoffError: `reference` is unknown here, or what they have in common is, or there is
                no commit yet.
        """
        if not self.has_commits:
            raise HandoffError("There is no commit yet: make the first one.")
        if reference is None:
            branch, upstream = (
                self._try("rev-parse", "--abbrev-ref", name) for name in ("HEAD", "@{upstream}")
            )
            followed = ["@{upstream}", "origin/HEAD"]
            if upstream.partition("/")[2] == branch:
                followed.reverse()
            reference = next(filter(self._commit, followed), "HEAD")
        self._known(reference)
        common = self._try("merge-base", reference, "HEAD")
        if common:
            return common.splitlines()[0]
        if self._git("rev-parse", "--is-shallow-repository").strip() == "true":
            raise HandoffError(
                f"This clone is too shallow to know where the work left {reference}:"
                " `git fetch --unshallow`."
            )
        raise HandoffError(f"{reference} and this work have no commit in common.")

    def main_commit(self, reference: str | None = None) -> str | None:
        """The newest commit of the branch that all work is merged into, as this clone knows it.

        Args:
            reference: That branch, or a commit; None for the remote's main branch, or else the
                branch that this one follows.

        Returns:
            The commit; None where there is no remote.

        Raises:
            HandoffError: `reference` is unknown here.
        """
        if reference is not None:
            return self._known(reference)
        return next(filter(None, map(self._commit, _MAIN)), None)

    @property
    def has_remote(self) -> bool:
        """Whether the work is pushed anywhere."""
        return bool(self._try("remote"))

    def has_contracts(self, tree: str) -> bool:
        """Whether a tree has Baton in use, and contracts of whatever package."""
        whole = ("ls-tree", "-r", "-z", "--full-tree", "--name-only")
        listed = self._git(*whole, tree, "handoff.toml", "src/")
        paths = listed.split("\0")
        return "handoff.toml" in paths and any(
            path.split("/")[2] == "contracts" for path in paths if path.count("/") > 2
        )

    def edits(self, before: str, after: str) -> list[Edit]:
        """The paths that differ; a renamed file is one that goes and one that comes."""
        said = self._git("diff-tree", "-r", "-z", "--no-renames", before, after)
        parts = said.split("\0")[:-1]
        return [
            Edit(path, f"{mode} {identifier}\t{path}")
            for (_, mode, _, identifier, _), path in zip(
                (part.split(" ") for part in parts[::2]), parts[1::2], strict=True
            )
        ]

    def renames(self, before: str, after: str) -> dict[str, str]:
        """The paths to which files have moved from one tree to another, with where they were."""
        said = self._git(
            "diff-tree", "-r", "-z", "-M", "--name-status", "--diff-filter=R", before, after
        )
        parts = said.split("\0")[:-1]
        return dict(zip(parts[2::3], parts[1::3], strict=True))

    def apply_edits(self, base: str, edits: Iterable[Edit]) -> str:
        """The tree `base` with some edits done to it."""
        index = self._scratch / "mixed-index"
        index.unlink(missing_ok=True)
        self._git("read-tree", base, index=index)
        entries = "".join(f"{edit.entry}\0" for edit in edits)
        self._git("update-index", "-z", "--index-info", index=index, said=entries)
        return self._git("write-tree", index=index).strip()

    def check_out(self, tree: str, folder: Path) -> Path:
        """Write the files of a tree into a folder, and return it.

        Each file's time is made from its content: a type checker takes a file of the same size and
        time for the one that it knows, and snapshots are written within a second.
        """
        index = self._scratch / "written-index"
        index.unlink(missing_ok=True)
        folder.mkdir(parents=True)
        self._git("read-tree", tree, index=index)
        self._git("checkout-index", "--all", index=index, into=folder)
        for entry in self._git("ls-files", "--stage", "-z", index=index, into=folder).split("\0"):
            stated, _, path = entry.partition("\t")
            file = folder / path
            if path and file.is_file() and not file.is_symlink():
                time = int(stated.split(" ")[1][:7], 16)
                os.utime(file, (time, time))
        return folder

    def commits_between(self, since: str, until: str) -> list[str]:
        """The commits from one to another, oldest first, as the branch itself saw them.

        Raises:
            HandoffError: `since` is no ancestor that this clone knows.
        """
        first = self._commit(since)
        if not first:
            raise HandoffError(f"{since} is no commit that this clone knows: `git fetch origin`.")
        if self._try("merge-base", first, until) != first:
            raise HandoffError(f"{since} is not before {until[:12]}: give an earlier `--since`.")
        later = self._git("rev-list", "--first-parent", "--reverse", f"{first}..{until}")
        return [first, *later.split()]

    def authors(self, since: str, paths: Sequence[str]) -> list[str]:
        """The addresses of those who changed paths since a commit; `you` for uncommitted work.

        Merges have none: a provider makes one of every pull request, and it is nobody's work.
        """
        log = ("log", "--no-merges", "--format=%ae")
        told = self._git(*log, f"{since}..HEAD", "--", *paths).split()
        open_ = self._git("status", "--porcelain", "--", *paths).strip()
        return [*dict.fromkeys(told), *(["you"] if open_ else [])]

    def _commit(self, name: str) -> str:
        """The commit that a name stands for, empty where it stands for none."""
        option = name.startswith("-")
        return "" if option else self._try("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")

    def _known(self, reference: str) -> str:
        commit = self._commit(reference)
        if not commit:
            raise HandoffError(
                f"{reference} is no commit that this clone knows: `git fetch origin`, or give"
                " another one."
            )
        return commit

    def _inside(self, tree: str) -> str:
        """The part of a repository's tree that is the project; an empty one where it has none."""
        part = self._try("rev-parse", "--verify", "--quiet", f"{tree}:{self._prefix.rstrip('/')}")
        return part or self._git("mktree", said="").strip()

    def _path(self, name: str) -> Path:
        return self._root / self._git("rev-parse", "--git-path", name).strip()

    def _git(
        self,
        *arguments: str,
        index: Path | None = None,
        said: str | None = None,
        into: Path | None = None,
    ) -> str:
        done = self._run(arguments, index, said, into)
        if done.returncode != 0:
            raise HandoffError(f"`git {arguments[0]}` failed: {done.stderr.strip()}")
        return done.stdout

    def _try(self, *arguments: str) -> str:
        done = self._run(arguments)
        return done.stdout.strip() if done.returncode == 0 else ""

    def _run(
        self,
        arguments: tuple[str, ...],
        index: Path | None = None,
        said: str | None = None,
        into: Path | None = None,
    ) -> "CompletedProcess[str]":
        own = dict(self._own)
        if index is not None:
            own["GIT_INDEX_FILE"] = str(index)
        if into is not None:
            own |= {"GIT_DIR": self._folder, "GIT_WORK_TREE": str(into)}
        return run_git(into or self._root, *arguments, env=own, given=said)


@contextmanager
def snapshots_of(root: Path) -> Iterator[tuple[GitSnapshots, Path]]:
    """Yield the snapshots of a project and a folder to check them out; remove both afterwards.

    Raises:
        HandoffError: The project is in no git repository.
    """
    require_repository(root)
    with tempfile.TemporaryDirectory(prefix="handoff-") as scratch:
        yield GitSnapshots(root, Path(scratch)), Path(scratch)
