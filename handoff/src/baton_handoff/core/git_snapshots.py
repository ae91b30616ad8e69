"""Snapshots of a project as git trees: the working directory, commits, and mixtures of the two.

Only git's plumbing commands are used, with an index and an object folder of their own: neither the
working directory nor the index nor the list of worktrees changes, even if a command fails.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from baton_handoff.core.errors import NoBaseError, UnknownCommitError
from baton_handoff.core.git import git, git_or_none, hidden_files, is_shallow, require_repository

_HEADS = ("HEAD", "main", "master")
"""Names of a remote's main branch; its `HEAD` exists in clones only."""


@dataclass(frozen=True)
class Base:
    """The commit that a change is compared with.

    Attributes:
        name: The base as a user knows it, such as `origin/main`.
        commit: The commit at which the current work left it.
        is_last_commit: Whether it is the branch's own last commit: only uncommitted changes count.
    """

    name: str
    commit: str
    is_last_commit: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.commit[:7]})"


@dataclass(frozen=True)
class Edit:
    """One path that differs between two snapshots.

    Attributes:
        path: The path, relative to the project.
        entry: The line for git's index with the path's state in the second snapshot; mode 0 if the
            path is deleted there.
    """

    path: str
    entry: str


class GitSnapshots:
    """The snapshots of one project; each is the id of a git tree."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self._root = root
        self._scratch = scratch
        self._env: dict[str, str] = {}
        self._prefix = self._git("rev-parse", "--show-prefix").strip()
        self._git_folder = self._git("rev-parse", "--absolute-git-dir").strip()
        (scratch / "objects").mkdir()
        self._env = {
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self._git_path("objects")),
            "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
            # Otherwise `git status` writes to the repository's index.
            "GIT_OPTIONAL_LOCKS": "0",
        }

    def working_directory(self) -> str:
        """The snapshot of the working directory, with uncommitted and without ignored files."""
        index = self._scratch / "index"
        if self._git_path("index").exists():
            # With its time: git compares it with the times of the files to find changed ones.
            shutil.copy2(self._git_path("index"), index)
        self._git("add", "--all", ".", index=index)
        if hidden := hidden_files(self._root):
            self._git("add", "--force", "--", *hidden, index=index)
        return self.of_commit(self._git("write-tree", index=index).strip())

    def of_commit(self, commit: str) -> str:
        """The project's part of a commit, or of a tree of the repository; empty without one."""
        part = self._try("rev-parse", "--verify", "--quiet", f"{commit}:{self._prefix.rstrip('/')}")
        return part or self._git("mktree", stdin="").strip()

    @property
    def has_commits(self) -> bool:
        """Whether the repository has a commit."""
        return bool(self._commit("HEAD"))

    def base(self, reference: str | None = None) -> Base:
        """The commit at which the current work left `reference`.

        Args:
            reference: A commit or a branch. By default the branch that this one follows, unless
                that is only its own pushed copy; then a remote's main branch, or else the local
                one. If there is no other branch at all, the last commit.

        Raises:
            NoBaseError: No reference is given, and nothing tells which branch this one left.
            UnknownCommitError: This clone does not contain `reference` or a common commit, or it
                has no commit yet.
        """
        if not self.has_commits:
            raise UnknownCommitError("There is no commit yet: make the first one.")
        reference = reference or self._default_base()
        self.commit(reference)
        if common := self._try("merge-base", reference, "HEAD"):
            # Compared with itself, a branch is compared with its last commit.
            own = reference in ("HEAD", self._try("symbolic-ref", "--short", "--quiet", "HEAD"))
            return Base("the last commit" if own else reference, common.splitlines()[0], own)
        if is_shallow(self._root):
            raise UnknownCommitError(
                f"This clone is too shallow to contain the commit at which the work left"
                f" {reference}: run `git fetch --unshallow`."
            )
        raise UnknownCommitError(f"{reference} and this work have no commit in common.")

    def main_commit(self) -> str | None:
        """The newest commit of the remote's main branch, as this clone knows it; None without one.

        The branch that this one follows counts only if no remote has a main branch by its usual
        name; the pushed copy of this branch comes last.
        """
        # Not `_main_branches`: a person's own `init.defaultBranch` must not choose what approves.
        names = [f"refs/remotes/{one}/{name}" for one in self._remotes() for name in _HEADS]
        branch, upstream = (
            self._try("rev-parse", "--abbrev-ref", name) for name in ("HEAD", "@{upstream}")
        )
        remote, _, followed = upstream.partition("/")
        if followed == branch:
            names += self._main_branches(local=False)
        if remote in self._remotes():
            names.append(upstream)
        return next(filter(None, map(self._commit, names)), None)

    def local_main_commit(self) -> str | None:
        """The newest commit of this repository's main branch, or else the last one, if any."""
        names = ("refs/heads/main", "refs/heads/master", "HEAD")
        return next(filter(None, map(self._commit, names)), None)

    def commit(self, reference: str) -> str:
        """The id of a commit that a user has named.

        Raises:
            UnknownCommitError: This clone does not contain it.
        """
        if commit := self._commit(reference):
            return commit
        raise UnknownCommitError(
            f"{reference} is not a commit in this clone: run `git fetch origin`, or give another"
            " one."
        )

    def _default_base(self) -> str:
        branch = self._try("symbolic-ref", "--short", "--quiet", "HEAD")
        upstream = self._try("rev-parse", "--abbrev-ref", "@{upstream}")
        copies = [f"{remote}/{branch}" for remote in self._remotes()]
        if upstream and upstream not in copies:
            return upstream
        main = next(filter(self._commit, self._main_branches(local=True)), None)
        if main is not None:
            return main
        refs = ("refs/heads", "refs/remotes")
        known = self._try("for-each-ref", "--format=%(refname:short)", *refs).split()
        fetched = self._try("config", "--get-regexp", r"^remote\..*\.fetch$").splitlines()
        complete = all("*" in refspec for refspec in fetched) and not is_shallow(self._root)
        if complete and branch and not {*known} - {branch, *copies}:
            return upstream or "HEAD"
        raise NoBaseError(
            f"No commit to compare with is known: the branch that {branch or 'this commit'} left is"
            " not the upstream branch, no remote's main branch is in this clone, and there is no"
            " local `main` or `master`. Give the branch with `--base`, or name it once:"
            " `git branch --set-upstream-to BRANCH`."
        )

    def _main_branches(self, *, local: bool) -> Iterator[str]:
        """Names of main branches, those of remotes first; `REMOTE/HEAD` exists in clones only."""
        names = filter(None, (self._try("config", "init.defaultBranch"), "main", "master"))
        usual = list(dict.fromkeys(names))
        for remote in self._remotes():
            head = f"refs/remotes/{remote}/HEAD"
            if target := self._try("rev-parse", "--abbrev-ref", head):
                yield target
            yield from (f"{remote}/{name}" for name in usual)
        if local:
            yield from usual

    def _remotes(self) -> list[str]:
        return sorted(self._try("remote").split(), key=lambda remote: remote != "origin")

    @property
    def has_remote(self) -> bool:
        """Whether the repository has a remote."""
        return bool(self._try("remote"))

    def has_contracts(self, tree: str) -> bool:
        """Whether a snapshot contains a handoff.toml, and contracts in any package."""
        options = ("-r", "-z", "--full-tree", "--name-only")
        paths = self._git("ls-tree", *options, tree, "handoff.toml", "src/").split("\0")
        return "handoff.toml" in paths and any(
            path.split("/")[2] == "contracts" for path in paths if path.count("/") > 2
        )

    def part(self, tree: str, folder: str) -> str:
        """The id of a folder in a snapshot."""
        return self._git("rev-parse", "--verify", f"{tree}:{folder}").strip()

    def edits(self, before: str, after: str) -> list[Edit]:
        """The paths that differ between two snapshots; a renamed file is one deleted, one added."""
        return edits_of(self._git("diff-tree", "-r", "-z", "--no-renames", before, after))

    def texts(self, tree: str, paths: Iterable[str]) -> dict[str, str]:
        """The texts of files in a snapshot, by their paths; what is no file there is left out."""
        wanted = [path for path in paths if "\n" not in path]
        names = "".join(f"{tree}:{path}\n" for path in wanted)
        left = self._git("cat-file", "--batch", stdin=names).encode("utf-8", "surrogateescape")
        texts = {}
        for path in wanted:
            head, _, left = left.partition(b"\n")
            *_, kind, size = head.split(b" ")
            if size.isdigit():  # a missing path has one line only
                content, left = left[: int(size)], left[int(size) + 1 :]
                if kind == b"blob":
                    texts[path] = content.decode("utf-8", "surrogateescape")
        return texts

    def renames(self, before: str, after: str) -> dict[str, str]:
        """For each new path of a renamed file its old path."""
        options = ("-r", "-z", "-M", "--name-status", "--diff-filter=R")
        parts = self._git("diff-tree", *options, before, after).split("\0")[:-1]
        return dict(zip(parts[2::3], parts[1::3], strict=True))

    def apply_edits(self, base: str, edits: Iterable[Edit]) -> str:
        """The snapshot `base` with some edits applied to it."""
        index = self._scratch / "mixed-index"
        index.unlink(missing_ok=True)
        self._git("read-tree", base, index=index)
        entries = "".join(f"{edit.entry}\0" for edit in edits)
        self._git("update-index", "-z", "--index-info", index=index, stdin=entries)
        return self._git("write-tree", index=index).strip()

    def check_out(self, tree: str, folder: Path) -> Path:
        """Write the files of a snapshot into a new folder, and return the folder.

        The time of a file is derived from its content: mypy reuses its results for a file of the
        same size and time, and two snapshots are written within a second.
        """
        index = self._scratch / "written-index"
        index.unlink(missing_ok=True)
        folder.mkdir(parents=True)
        self._git("read-tree", tree, index=index)
        self._git("checkout-index", "--all", index=index, work_tree=folder)
        staged = self._git("ls-files", "--stage", "-z", index=index, work_tree=folder)
        for entry in staged.split("\0"):
            state, _, path = entry.partition("\t")
            file = folder / path
            if path and file.is_file() and not file.is_symlink():
                time = int(state.split(" ")[1][:7], 16)
                os.utime(file, (time, time))
        return folder

    def commits_between(self, since: str, until: str) -> list[str]:
        """The commits of a branch from one to another, oldest first, without those of merges.

        Raises:
            UnknownCommitError: `since` is not an ancestor, or not in this clone.
        """
        first = self.commit(since)
        if self._try("merge-base", first, until) != first:
            raise UnknownCommitError(
                f"{since} is not before {until[:12]}: give an earlier `--since`."
            )
        later = self._git("rev-list", "--first-parent", "--reverse", f"{first}..{until}")
        return [first, *later.split()]

    def _commit(self, name: str) -> str:
        """The id of a commit, empty if there is none of this name."""
        option = name.startswith("-")
        return "" if option else self._try("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")

    def _git_path(self, name: str) -> Path:
        return self._root / self._git("rev-parse", "--git-path", name).strip()

    def _try(self, *arguments: str) -> str:
        return git_or_none(self._root, *arguments, env=self._env) or ""

    def _git(
        self,
        *arguments: str,
        index: Path | None = None,
        stdin: str | None = None,
        work_tree: Path | None = None,
    ) -> str:
        env = dict(self._env)
        if index:
            env["GIT_INDEX_FILE"] = str(index)
        if work_tree:
            env |= {"GIT_DIR": self._git_folder, "GIT_WORK_TREE": str(work_tree)}
        return git(work_tree or self._root, *arguments, env=env, stdin=stdin)


def edits_of(raw: str) -> list[Edit]:
    """The edits in git's raw format with null bytes."""
    parts = raw.strip("\0").split("\0") if raw.strip("\0") else []
    return [
        Edit(path, f"{mode} {identifier}\t{path}")
        for (_, mode, _, identifier, _), path in zip(
            (part.split(" ") for part in parts[::2]), parts[1::2], strict=True
        )
    ]


@contextmanager
def snapshots_of(root: Path) -> Iterator[tuple[GitSnapshots, Path]]:
    """Yield the snapshots of a project and a folder to check them out; remove both afterwards.

    Raises:
        GitError: git is missing, or the project is in no repository.
    """
    require_repository(root)
    with tempfile.TemporaryDirectory(prefix="handoff-") as scratch:
        yield GitSnapshots(root, Path(scratch)), Path(scratch)
