"""Running git: every call of git goes through here, so that a person's settings alter no answer."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from baton_handoff.core.errors import ForeignRepositoryError, GitError

_SETTINGS = {
    "color.ui": "false",
    "core.fsmonitor": "false",  # a program that a repository may configure; it may not be trusted
    "core.quotePath": "false",
    "diff.noprefix": "false",
    "log.showSignature": "false",
    "status.relativePaths": "true",
    "status.showUntrackedFiles": "normal",
}
"""Values for settings with which a person changes what git prints."""

_PLACES = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE"),
    *("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS"),
    *("GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"),
}
"""Variables that lead git elsewhere. Git sets some of them for a hook, relative to a folder that is
not the project's if the project is in a subfolder."""

_JUNK = (
    *(".*", "*~", "*.pyc", "__pycache__/", "node_modules/", "site-packages/", "venv/", "env/"),
    *("mlruns/", "mlartifacts/", "build/", "dist/", "*.egg-info/"),
)
"""Files of editors and tools, which people rightly ignore by their own settings."""

_REFUSED = 128
"""Git's exit code if it can't use a repository."""


def run_git(
    root: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    errors: str = "surrogateescape",
) -> "subprocess.CompletedProcess[str]":
    """Run git in a folder, whatever its exit code; `env` is added to the variables of this process.

    Raises:
        FileNotFoundError: git is missing.
        GitError: Git refuses the repository because another user owns it.
    """
    settings = (part for name in _SETTINGS.items() for part in ("-c", "=".join(name)))
    inherited = {name: value for name, value in os.environ.items() if name not in _PLACES}
    done = subprocess.run(
        ["git", *settings, *arguments],
        cwd=root,
        # Git's messages in English: one of them is read below.
        env={**inherited, "LC_ALL": "C", **(env or {})},
        input=None if stdin is None else stdin.encode("utf-8", errors),
        capture_output=True,
        check=False,
    )
    stdout, stderr = (text.decode("utf-8", errors) for text in (done.stdout, done.stderr))
    if done.returncode == _REFUSED and "dubious ownership" in stderr:
        raise ForeignRepositoryError(stderr.partition("repository at '")[2].partition("'")[0])
    return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)


def git(
    root: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    errors: str = "surrogateescape",
) -> str:
    """Run git and return its output; the parameters are those of `run_git`.

    Raises:
        GitError: The command failed.
    """
    done = run_git(root, *arguments, env=env, stdin=stdin, errors=errors)
    if done.returncode != 0:
        raise GitError(f"`git {arguments[0]}` failed: {done.stderr.strip()}")
    return done.stdout


def git_or_none(root: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str | None:
    """Run git and return its stripped output; None if it fails or is missing."""
    try:
        done = run_git(root, *arguments, env=env)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def head_commit(root: Path) -> str | None:
    """The last commit; None before the first one.

    Raises:
        GitError: git is missing, or can't read the repository.
    """
    require_repository(root)
    done = run_git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if done.returncode > 1:
        raise GitError(f"`git rev-parse HEAD` failed: {done.stderr.strip()}")
    return done.stdout.strip() or None


def hidden_files(root: Path, *places: str, env: Mapping[str, str] | None = None) -> list[str]:
    """Untracked files that no .gitignore lists and only this machine's settings hide, sorted.

    Those settings are `core.excludesFile` and `.git/info/exclude`. Files of editors and tools do
    not count.
    """
    listing = ("ls-files", "-z", "--others")
    ignored = (f"--exclude={pattern}" for pattern in _JUNK)
    per_folder = (*listing, "--exclude-per-directory=.gitignore", *ignored)
    own = run_git(root, *per_folder, "--", *places, env=env)
    shown = run_git(root, *listing, "--exclude-standard", "--", *places, env=env)
    return sorted({*own.stdout.split("\0")} - {*shown.stdout.split("\0"), ""})


def changed_files(root: Path, places: Sequence[str]) -> list[str]:
    """The files of some places that differ from the last commit or are untracked, sorted.

    Neither a person's settings nor marks in the index (`--assume-unchanged`) hide one.

    Raises:
        GitError: There is no commit, or git fails.
    """
    with tempfile.TemporaryDirectory(prefix="handoff-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch, "index"))}
        git(root, "read-tree", "HEAD", env=index)
        differing = ("diff", "--name-only", "--no-ext-diff", "--relative", "-z", "--", *places)
        untracked = ("ls-files", "-z", "--others", "--exclude-standard", "--", *places)
        names = git(root, *differing, env=index) + git(root, *untracked, env=index)
        return sorted({*names.split("\0"), *hidden_files(root, *places, env=index)} - {""})


def prefix_of(root: Path) -> str:
    """The folder of a project inside its repository, with a slash at its end; empty at the root."""
    return git_or_none(root, "rev-parse", "--show-prefix") or ""


def repository_root(root: Path) -> Path:
    """The root of the repository that a folder is in; the folder itself without a repository."""
    return root.parents[prefix.count("/") - 1] if (prefix := prefix_of(root)) else root


def is_shallow(root: Path) -> bool:
    """Whether a clone lacks a part of the history."""
    return git_or_none(root, "rev-parse", "--is-shallow-repository") == "true"


def is_in_repository(root: Path) -> bool:
    """Whether a folder is in a git repository that does not ignore it.

    Raises:
        GitError: git is missing.
    """
    try:
        inside = run_git(root, "rev-parse", "--is-inside-work-tree").returncode == 0
        return inside and run_git(root, "check-ignore", "--quiet", str(root)).returncode != 0
    except FileNotFoundError as error:
        raise GitError("git is missing: install it, then run `uv run poe setup`.") from error


def require_repository(root: Path) -> None:
    """Check that a project is in a git repository, which its data versions need.

    Raises:
        GitError: git is missing, or the project is in no repository.
    """
    if not is_in_repository(root):
        raise GitError(f"{root} is not in a git repository yet: run `uv run poe setup`.")
