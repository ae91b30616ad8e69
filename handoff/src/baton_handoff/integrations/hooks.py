"""The hooks of a project, run by pre-commit before a commit."""

import os
import subprocess
import sys

from baton_handoff.config.project import Project
from baton_handoff.core.git import git
from baton_handoff.core.git_hooks import CONFIGURATION, hook_folder, project_repository
from baton_handoff.integrations.setup import prepare_environment
from baton_handoff.reporting.findings import Finding, render
from baton_handoff.source_code.notebooks import KERNEL, with_usual_kernel
from baton_handoff.source_code.secrets import find_secrets
from baton_handoff.updates.conflicts import find_conflicts

_CONFIGURATION = f"--config={CONFIGURATION}"


def run_hooks(project: Project) -> int:
    """Run the hooks of a project on what is to be committed of it, and return their exit code.

    pre-commit starts hooks in the root folder of a repository. So a project in a subfolder is shown
    to it as a repository of its own. A conflict or a secret in a file refuses the commit before;
    notebooks get the kernel that every environment has.

    Raises:
        HandoffError: The environment was copied or moved, and can't be repaired.
    """
    prepare_environment(project)
    use_usual_kernels(project)
    if found := [*find_conflicts(project, staged=True), *_staged_secrets(project)]:
        print(render(found, "terminal", ""))
        return 1
    root = project.root
    command = [sys.executable, "-m", "pre_commit"]
    if git(root, "rev-parse", "--show-prefix").strip():
        with project_repository(root) as variables:
            env = os.environ | variables
            env.pop("GIT_INDEX_FILE", None)
            return subprocess.run(
                [*command, "run", _CONFIGURATION], cwd=root, env=env, check=False
            ).returncode
    hook = ("hook-impl", _CONFIGURATION, "--hook-type=pre-commit")
    where = ("--hook-dir", str(hook_folder(root)), "--")
    return subprocess.run([*command, *hook, *where], cwd=root, check=False).returncode


def _staged_secrets(project: Project) -> list[Finding]:
    try:
        return find_secrets(project, staged=True)
    except ModuleNotFoundError:
        # An environment of another lock, of an older commit for example, has no scanner.
        print("Nothing was searched for secrets: the scanner is not installed (`uv sync`).")
        return []


def use_usual_kernels(project: Project) -> None:
    """Replace the kernels of single machines in the notebooks that are to be committed.

    A notebook that is only partly staged keeps its kernel: its file and the commit differ.
    """
    root = project.root
    index = os.environ.get("GIT_INDEX_FILE")  # git's own during `git commit FILE`
    env = {"GIT_INDEX_FILE": index} if index else None
    changed = ("diff", "--cached", "--name-only", "--relative", "--diff-filter=d", "-z")
    staged = git(root, *changed, "--", "*.ipynb", env=env).split("\0")
    unstaged = git(root, "diff", "--name-only", "--relative", "-z", "--", "*.ipynb", env=env)
    for file in {*staged} - {*unstaged.split("\0"), ""}:
        path = root / file
        text, kernel = with_usual_kernel(path.read_text(encoding="utf-8", errors="surrogateescape"))
        if kernel:
            path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
            git(root, "add", "--", file, env=env)
            print(
                f"{file}: the kernel `{kernel}` exists on one machine only; it is `{KERNEL}` now."
            )
