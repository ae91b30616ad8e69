"""The pipelines of a new project, really run: GitHub's by act, GitLab's by gitlab-ci-local.

Both type the commands on this machine instead of in a fresh one. The only stand-ins are for the
two actions that would fetch a Python and a cache from GitHub.
"""

import os
import re
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.baton import ROOT, git, run

Run = Callable[[Path], subprocess.CompletedProcess[str]]

COMMANDS = Path(sys.executable).parent
STAND_IN = """
name: stand-in
description: Does nothing.
runs:
  using: composite
  steps:
    - run: "true"
      shell: bash
"""


@pytest.fixture(scope="module")
def machine(npm_commands: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A runner's environment: a Python without uv, Node, and nothing of Baton's own."""
    folder = tmp_path_factory.mktemp("runner")
    venv.create(folder, with_pip=True)
    path = [entry for entry in os.environ["PATH"].split(os.pathsep) if Path(entry) != COMMANDS]
    return {
        "PATH": os.pathsep.join([f"{folder}/bin", str(npm_commands), *path]),
        "PYTHONDONTWRITEBYTECODE": "",  # a machine for tests may have it set, a runner hasn't
    }


@pytest.fixture(scope="module")
def github(machine: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a project's GitHub workflow."""
    stand_in = tmp_path_factory.mktemp("stand-in")
    (stand_in / "action.yml").write_text(STAND_IN)
    act = [f"{COMMANDS}/act", "push", "--platform", "ubuntu-latest=-self-hosted"]
    act += ["--no-cache-server", "--artifact-server-addr", "127.0.0.1"]
    act += ["--action-cache-path", str(tmp_path_factory.mktemp("workspaces"))]

    def run_workflow(project: Path) -> subprocess.CompletedProcess[str]:
        workflow = (project / ".github/workflows/handoff.yml").read_text(encoding="utf-8")
        replaced = re.findall(r"actions/(?:setup-python|cache)@\w+", workflow)
        stand_ins = [f"--local-repository={action}={stand_in}" for action in replaced]
        return run([*act, *stand_ins], project, check=False, env=machine)

    return run_workflow


@pytest.fixture(scope="module")
def gitlab(machine: dict[str, str], npm_commands: Path) -> Run:
    """Runs a project's GitLab pipeline, with this machine's cache of packages."""
    cache = run(["uv", "cache", "dir"], ROOT).stdout.strip()
    command = [f"{npm_commands}/gitlab-ci-local", "--force-shell-executor", "--no-color"]
    command += ["--variable", f"UV_CACHE_DIR={cache}"]
    return lambda project: run(command, project, check=False, env=machine)


def test_a_new_project_is_green_on_github(github: Run, pushed_project: Callable[..., Path]) -> None:
    green = github(pushed_project(ci="github"))
    assert green.returncode == 0, green.stdout + green.stderr
    assert "uv run --locked poe test" in green.stdout


def test_a_new_project_is_green_on_gitlab_and_a_lint_finding_turns_it_red(
    gitlab: Run, pushed_project: Callable[..., Path]
) -> None:
    project = pushed_project(ci="gitlab")
    green = gitlab(project)
    assert green.returncode == 0, green.stdout + green.stderr
    assert "uv run --locked poe test" in green.stdout

    (project / "src/flight_delays/unfinished.py").write_text("import os\n")
    git(project, "add", "--all")
    red = gitlab(project)
    assert red.returncode != 0
    assert "F401" in red.stdout
    assert "uv run --locked poe test" not in red.stdout


def test_a_project_without_a_lock_is_told_to_make_one(
    github: Run, pushed_project: Callable[..., Path]
) -> None:
    project = pushed_project(ci="github")
    (project / "uv.lock").unlink()
    red = github(project)
    assert red.returncode != 0
    assert "To create a lockfile, run `uv lock`" in red.stdout
    assert "uv run --locked poe check" not in red.stdout


def test_on_gitlab_a_teams_own_jobs_join_the_templates(
    machine: dict[str, str], npm_commands: Path, pushed_project: Callable[..., Path]
) -> None:
    project = pushed_project(ci="gitlab")
    (project / ".gitlab").mkdir()
    (project / ".gitlab/team.yml").write_text("nightly:\n  script: [echo ours]\n")
    git(project, "add", "--all")
    listed = run([npm_commands / "gitlab-ci-local", "--list"], project, env=machine).stdout
    assert set(re.findall(r"^(nightly|handoff)\b", listed, re.MULTILINE)) == {"nightly", "handoff"}
