"""Running git: every call of git goes through here."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from baton_handoff.core.errors import HandoffError


def run_git(
    root: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    given: str | None = None,
    errors: str = "surrogateescape",
) -> "subprocess.CompletedProcess[str]":
    """Run git in a folder, whatever comes of it.

    Args:
        root: The folder.
        arguments: What git is asked.
        env: Environment variables beside those of this process.
        given: What it reads from standard input.
        errors: What becomes of bytes that are not UTF-8; a path keeps them by default.

    Raises:
        FileNotFoundError: git is missing.
    """
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**os.environ, **(env or {})},
        input=None if given is None else given.encode("utf-8", errors),
        capture_output=True,
        check=False,
    )
    said, complaint = (text.decode("utf-8", errors) for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, said, complaint)


def git(root: Path, *arguments: str, errors: str = "surrogateescape") -> str:
    """What git prints.

    Raises:
        HandoffError: It refuses.
    """
    done = run_git(root, *arguments, errors=errors)
    if done.returncode != 0:
        raise HandoffError(f"`git {arguments[0]}` failed: {done.stderr.strip()}")
    return done.stdout


def git_or_none(root: Path, *arguments: str) -> str | None:
    """What git prints, without space around it; None where it refuses, or is missing."""
    try:
        done = run_git(root, *arguments)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def is_shallow(root: Path) -> bool:
    """Whether a clone does not know the whole history."""
    return git_or_none(root, "rev-parse", "--is-shallow-repository") == "true"


def is_in_repository(root: Path) -> bool:
    """Whether a git repository looks after a project; one that ignores its folder does not.

    Raises:
        HandoffError: git is missing.
    """
    try:
        inside = run_git(root, "rev-parse", "--is-inside-work-tree").returncode == 0
        return inside and run_git(root, "check-ignore", "--quiet", str(root)).returncode != 0
    except FileNotFoundError as error:
        raise HandoffError("git is missing: install it, then run `uv run poe setup`.") from error


def require_repository(root: Path) -> None:
    """Make sure that a project lies in a git repository: data versions hang on it.

    Raises:
        HandoffError: It does not.
    """
    if not is_in_repository(root):
        raise HandoffError(f"{root} is not in a git repository yet: `uv run poe setup`.")
