"""Set-up: what a project needs beyond its environment, a git repository and its hooks."""

import os
import subprocess

from baton_handoff.config.code_owners import owners_file, write_owners
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git, git_or_none, is_in_repository


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
    if not is_in_repository(project.root):
        git(project.root, "init", "--quiet", "--initial-branch", "main")
    _run(project, "pre-commit", "install")
    if all(project.teams) and not owners_file(project).exists():
        write_owners(project)
    begun = git_or_none(project.root, "rev-parse", "--verify", "--quiet", "HEAD")
    yours = "" if begun else "; the first commit is yours"
    print(f"Ready. `uv run poe` lists the tasks, `uv run handoff --help` every command{yours}.")


def _run(project: Project, *command: str) -> None:
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise HandoffError(f"`{' '.join(command)}` failed: {said}")
