"""Set-up: what a project needs beyond its environment, a git repository and its hooks."""

import os
import subprocess

from baton_handoff.errors import HandoffError
from baton_handoff.owners import owners_file, write_owners
from baton_handoff.project import Project


def set_up(project: Project) -> None:
    """Compile the environment, make the git repository if there is none, install the hooks.

    Writes down who must approve what, if that is not there yet. Safe to run again.

    The first commit is the person's.

    Raises:
        HandoffError: git is missing or refuses.
    """
    # Without bytecode every command would compile its imports again on machines that are set to
    # write none; here it costs once.
    print("Compiling the environment (once, up to a minute) …", flush=True)
    _run(project, os.environ.get("UV", "uv"), "sync", "--quiet", "--compile-bytecode")
    if not in_repository(project):
        _run(project, "git", "init", "--quiet", "--initial-branch", "main")
    _run(project, "pre-commit", "install")
    if all(project.teams) and not owners_file(project).exists():
        write_owners(project)
    begun = _asks_git(project, "rev-parse", "--verify", "--quiet", "HEAD")
    yours = "" if begun else "; the first commit is yours"
    print(f"Ready. `uv run poe` lists the tasks, `uv run handoff --help` every command{yours}.")


def require_repository(project: Project) -> None:
    """Make sure that the project lies in a git repository: data versions hang on it.

    Raises:
        HandoffError: It does not.
    """
    if not in_repository(project):
        raise HandoffError(f"{project.root} is not in a git repository yet: `uv run poe setup`.")


def in_repository(project: Project) -> bool:
    """Whether a git repository looks after the project; one that ignores its folder does not."""
    try:
        inside = _asks_git(project, "rev-parse", "--is-inside-work-tree")
        return inside and not _asks_git(project, "check-ignore", "--quiet", str(project.root))
    except FileNotFoundError as error:
        raise HandoffError("git is missing: install it, then run `uv run poe setup`.") from error


def _asks_git(project: Project, *question: str) -> bool:
    done = subprocess.run(["git", *question], cwd=project.root, capture_output=True, check=False)
    return done.returncode == 0


def _run(project: Project, *command: str) -> None:
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise HandoffError(f"`{' '.join(command)}` failed: {said}")
