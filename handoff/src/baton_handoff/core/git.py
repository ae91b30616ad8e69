"""Running git: every call of git goes through here."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from baton_handoff.core.errors import GitError


def run_git(
    root: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    errors: str = "surrogateescape",
) -> "subprocess.CompletedProcess[str]":
    """Run git in a folder, whatever its exit code.

    Args:
        root: The folder.
        arguments: The arguments of git.
        env: Environment variables in addition to those of this process.
        stdin: The standard input.
        errors: How to decode bytes that are not UTF-8; by default paths keep them.

    Raises:
        FileNotFoundError: git is missing.
    """
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**os.environ, **(env or {})},
        input=None if stdin is None else stdin.encode("utf-8", errors),
        capture_output=True,
        check=False,
    )
    stdout, stderr = (text.decode("utf-8", errors) for text in (done.stdout, done.stderr))
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
