"""The hooks of a project, run by pre-commit before a commit."""

import os
import subprocess
import sys

from baton_handoff.config.project import Project
from baton_handoff.core.git import git
from baton_handoff.core.git_hooks import CONFIGURATION, hook_folder, project_repository
from baton_handoff.integrations.setup import prepare_environment
from baton_handoff.reporting.findings import render
from baton_handoff.updates.conflicts import find_conflicts

_CONFIGURATION = f"--config={CONFIGURATION}"


def run_hooks(project: Project) -> int:
    """Run the hooks of a project on what is to be committed of it, and return their exit code.

    pre-commit starts hooks in the root folder of a repository. So a project in a subfolder is shown
    to it as a repository of its own. A conflict that is still in a file refuses the commit before.

    Raises:
        HandoffError: The environment was copied or moved, and can't be repaired.
    """
    prepare_environment(project)
    if found := find_conflicts(project, staged=True):
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
