"""The pipelines of a project, really run: GitHub's by act, GitLab's by gitlab-ci-local.

Both type the commands on this machine instead of in a fresh one. The only stand-ins are for the
two actions that would fetch a Python and a cache from GitHub.
"""

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.baton import ROOT, commit, git, run

Run = Callable[..., subprocess.CompletedProcess[str]]

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
    """Runs a project's GitHub workflow: of a push, or what else is asked of act."""
    stand_in = tmp_path_factory.mktemp("stand-in")
    (stand_in / "action.yml").write_text(STAND_IN)
    options = ["--platform", "ubuntu-latest=-self-hosted", "--no-cache-server"]
    options += ["--artifact-server-addr", "127.0.0.1"]
    options += ["--action-cache-path", str(tmp_path_factory.mktemp("workspaces"))]

    def run_workflow(project: Path, *asked: str) -> subprocess.CompletedProcess[str]:
        workflow = (project / ".github/workflows/handoff.yml").read_text(encoding="utf-8")
        replaced = re.findall(r"actions/(?:setup-python|cache)@\w+", workflow)
        stand_ins = [f"--local-repository={action}={stand_in}" for action in replaced]
        act = [f"{COMMANDS}/act", *(asked or ["push"]), *options, *stand_ins]
        return run(act, project, check=False, env=machine)

    return run_workflow


@pytest.fixture(scope="module")
def gitlab(machine: dict[str, str], npm_commands: Path) -> Run:
    """Runs a project's GitLab pipeline, or what is asked of it, with this machine's packages."""
    cache = run(["uv", "cache", "dir"], ROOT).stdout.strip()
    command = [f"{npm_commands}/gitlab-ci-local", "--force-shell-executor", "--no-color"]
    command += ["--variable", f"UV_CACHE_DIR={cache}"]
    return lambda project, *asked: run([*command, *asked], project, check=False, env=machine)


@pytest.fixture
def proposed(pushed_project: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Makes a clone as a runner has it, with a change by which data science breaks its promise."""

    def make(ci: str, *, merged: bool) -> Path:
        origin = pushed_project(ci=ci)
        git(origin, "switch", "--quiet", "--create", "work")
        model = origin / "src/flight_delays/model/delay_model.py"
        text = model.read_text(encoding="utf-8")
        assert '"late_probability": late}' in text
        model.write_text(text.replace('"late_probability": late}', '"late": late}'), "utf-8")
        commit(origin, "Call it late")
        # Meanwhile the target moves on: that is not this change's doing.
        git(origin, "switch", "--quiet", "main")
        with (origin / "src/flight_delays/serving/batch.py").open("a", encoding="utf-8") as file:
            file.write("\n# ours\n")
        commit(origin, "Say whose it is")
        runner = tmp_path / "runner"
        git(tmp_path, "clone", "--quiet", "--no-local", str(origin), str(runner))
        git(runner, "checkout", "--quiet", "--detach", "origin/main" if merged else "origin/work")
        if merged:
            git(runner, "merge", "--quiet", "--no-ff", "--no-edit", "origin/work")
        git(runner, "branch", "--delete", "--force", "main")
        return runner

    return make


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


def test_on_github_a_pull_request_is_red_for_the_side_that_broke_it_alone(
    github: Run, proposed: Callable[..., Path], tmp_path: Path
) -> None:
    project = proposed("github", merged=True)
    event = tmp_path / "event.json"
    event.write_text(
        json.dumps({"pull_request": {"base": {"ref": "main"}, "head": {"ref": "work"}}})
    )
    done = {
        job: github(project, "pull_request", "--eventpath", str(event), "--job", job)
        for job in ("contracts", "data-science", "ml-engineering")
    }
    said = {job: one.stdout + one.stderr for job, one in done.items()}
    assert {job: one.returncode for job, one in done.items()} == {
        "contracts": 0,
        "data-science": 1,
        "ml-engineering": 0,
    }, said
    assert "data-science (test@example.com) has to act" in said["data-science"]
    assert "::error file=src/flight_delays/" in said["data-science"]
    assert "has to act" not in said["ml-engineering"]


def test_on_gitlab_a_merge_request_is_red_for_the_side_that_broke_it_alone(
    gitlab: Run, proposed: Callable[..., Path]
) -> None:
    project = proposed("gitlab", merged=False)
    predefined = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    variables = [word for item in predefined.items() for word in ("--variable", "=".join(item))]
    done = {
        job: gitlab(project, job, *variables)
        for job in ("contracts", "data-science", "ml-engineering")
    }
    said = {job: one.stdout + one.stderr for job, one in done.items()}
    assert {job: one.returncode for job, one in done.items()} == {
        "contracts": 0,
        "data-science": 1,
        "ml-engineering": 0,
    }, said
    assert "data-science (test@example.com) has to act" in said["data-science"]
    assert "Nothing is red for ml-engineering." in said["ml-engineering"]


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
