"""Set-up of a project: its environment, git repository, hooks and owners."""

import os
import shutil
import subprocess

from baton_handoff.config.code_owners import owners_file, write_owners
from baton_handoff.config.project import ForeignEnvironmentError, Project
from baton_handoff.config.repository_ci import write_root_workflows
from baton_handoff.config.workspace import outer_workspace, workspace_remedy
from baton_handoff.core.environments import project_environment, repair_programs
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git, head_commit, is_in_repository
from baton_handoff.core.git_hooks import CALL, foreign_hook_folder, install_hook
from baton_handoff.core.notebook_drivers import UNDO, use_nbdime
from baton_handoff.registry.local_files import require_usable_path

_NOTEBOOKS = """\
c = get_config()
c.InteractiveShellApp.extensions = ["autoreload"]
c.InteractiveShellApp.exec_lines = ["%autoreload 2"]
"""
"""The settings of notebooks, which IPython runs at the start of a kernel."""


def set_up(project: Project) -> None:
    """Compile the environment, create a git repository if there is none, and install the hooks.

    An environment that was copied or moved with the project is repaired. Writes CODEOWNERS if it is
    missing. Commits nothing, and can run again.

    Raises:
        HandoffError: git is missing, or a command fails.
    """
    require_usable_path(project)
    if outer := outer_workspace(project.root):
        raise HandoffError(
            f"The uv workspace {outer} holds lock and environment of this project:"
            f" {workspace_remedy(project.root, outer)}."
        )
    _repair_programs(project)
    # Machines that write no bytecode would compile all imports again for each command.
    print("Compiling the environment (once, up to a minute) …", flush=True)
    _uv(project, "sync", "--quiet", "--compile-bytecode")
    _configure_kernels(project)
    environment = project_environment(project.root)
    if not is_in_repository(project.root):
        git(project.root, "init", "--quiet", "--initial-branch", "main")
    if install_hook(project.root) is None:
        print(
            f"Git runs the hooks in {foreign_hook_folder(project.root)} (core.hooksPath), so this"
            f" project's hooks don't run before a commit. Add this line to its file pre-commit:\n"
            f'  cd "{project.root}" && uv run --no-sync {CALL}'
        )
    # `which` also finds programs of Windows, which end in .exe.
    programs = [environment / name for name in ("bin", "Scripts")]
    if any(shutil.which("git-nbdiffdriver", path=str(folder)) for folder in programs) and (
        use_nbdime(project.root)
    ):
        print(f"Git compares and merges notebooks cell by cell in this clone. Undo: {UNDO}")
    if all(project.teams) and not owners_file(project).exists():
        write_owners(project)
    for file in write_root_workflows(project):
        print(f"Wrote {file}: GitHub reads workflows in the root of the repository only.")
    next_step = "" if head_commit(project.root) else "; next, make the first commit"
    print(f"Ready. `uv run poe` lists the tasks, `uv run handoff --help` all commands{next_step}.")


def prepare_environment(project: Project) -> None:
    """Repair the environment of a project if it was copied, moved or renamed with its folder.

    Raises:
        HandoffError: uv can't install the project from this folder.
    """
    try:
        project.require_own_environment()
    except ForeignEnvironmentError:
        _repair_programs(project)
        _uv(project, "sync", "--quiet", "--frozen")


def _configure_kernels(project: Project) -> None:
    """Write the settings of notebooks into the environment, where every kernel reads them."""
    environment = project_environment(project.root)
    if environment.is_dir():
        folder = environment / "etc/ipython"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ipython_config.py").write_text(_NOTEBOOKS, encoding="utf-8")


def _repair_programs(project: Project) -> None:
    if repaired := repair_programs(project_environment(project.root)):
        print(f"Repaired {repaired} programs of an environment that was copied or moved.")


def _uv(project: Project, *arguments: str) -> None:
    command = [os.environ.get("UV", "uv"), *arguments]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HandoffError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip()}")
