"""Run the pipelines of a project: GitHub's with act, GitLab's with gitlab-ci-local.

Both run the commands on this machine instead of a fresh one. The only stubs replace the actions
that fetch a Python and a cache from GitHub and move artifacts between jobs, and the pull request
itself, whose comments are kept on this machine.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handoff.tests.support.hosting import PR, TOKEN, Provider, hosted
from tests.baton import ROOT, commit, git, run

Run = Callable[..., subprocess.CompletedProcess[str]]

COMMANDS = Path(sys.executable).parent
STUB = """
name: stand-in
description: Does nothing.
runs:
  using: composite
  steps:
    - run: "true"
      shell: bash
"""
STORING_STUB = """
name: stand-in
description: Keeps what a job leaves.
inputs: {path: {required: true}, name: {}, include-hidden-files: {}, overwrite: {}}
runs:
  using: composite
  steps:
    - run: mkdir -p "$KEPT"; for one in $LEFT; do [ ! -e "$one" ] || cp -r "$one" "$KEPT"; done
      shell: bash
      env: {LEFT: "${{ inputs.path }}"}
"""
BRINGING_STUB = """
name: stand-in
description: Brings what another job has left.
inputs: {name: {}}
runs:
  using: composite
  steps:
    - run: cp -r "$KEPT/." .
      shell: bash
"""


@pytest.fixture(scope="module")
def machine(npm_commands: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return a runner's environment: a Python without uv, Node, and no tool of Baton's own."""
    folder = tmp_path_factory.mktemp("runner")
    venv.create(folder, with_pip=True)
    path = [entry for entry in os.environ["PATH"].split(os.pathsep) if Path(entry) != COMMANDS]
    return {
        "UV_CACHE_DIR": str(copied_cache(tmp_path_factory.mktemp("cache"))),
        "UV_LOCK_TIMEOUT": "900",  # jobs of one pipeline share the cache here, and one may prune it
        "PATH": os.pathsep.join([f"{folder}/bin", str(npm_commands), *path]),
        "PYTHONDONTWRITEBYTECODE": "",  # a test machine may set it, a runner does not
    }


def copied_cache(folder: Path) -> Path:
    """Fill a folder with links to this machine's packages: a job prunes its cache."""
    own = run(["uv", "cache", "dir"], ROOT).stdout.strip()
    linked = run(["cp", "-al", f"{own}/.", folder], ROOT, check=False)
    if linked.returncode:  # on another disk
        run(["cp", "-a", f"{own}/.", folder], ROOT)
    return folder


@pytest.fixture(scope="module")
def github(machine: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a function that runs a project's GitHub workflow, by default for a push."""
    actions = {
        "setup-python": STUB,
        "cache": STUB,
        "upload-artifact": STORING_STUB,
        "download-artifact": BRINGING_STUB,
    }
    places = {name: tmp_path_factory.mktemp(name) for name in actions}
    for name, stub in actions.items():
        (places[name] / "action.yml").write_text(stub)
    options = ["--platform", "ubuntu-latest=-self-hosted", "--no-cache-server"]
    options += ["--artifact-server-addr", "127.0.0.1"]
    options += ["--action-cache-path", str(tmp_path_factory.mktemp("workspaces"))]

    def run_workflow(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        workflow = (project / ".github/workflows/handoff.yml").read_text(encoding="utf-8")
        used = dict(re.findall(rf"(actions/({'|'.join(actions)})@\w+)", workflow))
        stand_ins = [f"--local-repository={one}={places[name]}" for one, name in used.items()]
        stand_ins += ["--env", f"KEPT={project}/.handoff"]
        act = [f"{COMMANDS}/act", *(arguments or ["push"]), *options, *stand_ins]
        return run(act, project, check=False, env=machine)

    return run_workflow


@pytest.fixture(scope="module")
def gitlab(
    machine: dict[str, str], npm_commands: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Return a function that runs a project's GitLab pipeline with this machine's packages."""
    command = [f"{npm_commands}/gitlab-ci-local", "--force-shell-executor", "--no-color"]

    def run_pipeline(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        cache = copied_cache(tmp_path_factory.mktemp("cache"))
        given = ["--variable", f"UV_CACHE_DIR={cache}", *arguments]
        done = run([*command, *given], project, check=False, env=machine)
        shutil.rmtree(cache)
        return done

    return run_pipeline


@pytest.fixture
def proposed(pushed_project: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a runner's clone in which data science breaks a contract."""

    def make(ci: str, *, merged: bool) -> Path:
        origin = pushed_project(ci=ci)
        git(origin, "switch", "--quiet", "--create", "work")
        model = origin / "src/flight_delays/model/delay_model.py"
        text = model.read_text(encoding="utf-8")
        assert '"late_probability": late}' in text
        model.write_text(text.replace('"late_probability": late}', '"late": late}'), "utf-8")
        commit(origin, "Call it late")
        # The target branch gets another commit, which is not part of this change.
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


@pytest.fixture(params=["github", "gitlab"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with hosted(request.param) as provider:
        yield provider


@pytest.fixture
def judged(
    provider: Provider, github: Run, gitlab: Run, tmp_path: Path
) -> Callable[[Path], subprocess.CompletedProcess[str]]:
    """Return a function that runs the job `handoff` for a pull or merge request of a clone."""
    event = tmp_path / "event.json"
    refs = {"base": {"ref": "main"}, "head": {"ref": "work"}}
    event.write_text(json.dumps({"number": PR, "pull_request": {"number": PR, **refs}}))

    def on_github(project: Path) -> subprocess.CompletedProcess[str]:
        given = {name: v for name, v in provider.env().items() if name != "GITHUB_TOKEN"}
        env = [word for item in given.items() for word in ("--env", "=".join(item))]
        arguments = [
            "--eventpath",
            str(event),
            "--job",
            "handoff",
            "--secret",
            f"GITHUB_TOKEN={TOKEN}",
        ]
        return github(project, "pull_request", *arguments, *env)

    def on_gitlab(project: Path) -> subprocess.CompletedProcess[str]:
        predefined = provider.env() | {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        }
        given = [word for item in predefined.items() for word in ("--variable", "=".join(item))]
        return gitlab(project, "handoff", *given)

    return on_github if provider.name == "github" else on_gitlab


def test_at_level_2_a_broken_requirement_fails_and_one_comment_names_the_side(
    provider: Provider,
    judged: Callable[[Path], subprocess.CompletedProcess[str]],
    pushed_project: Callable[..., Path],
    tmp_path: Path,
) -> None:
    origin = pushed_project(ci=provider.name, starter="blank", level=2)
    git(origin, "switch", "--quiet", "--create", "work")
    app = origin / "src/flight_delays/serving/app.py"
    before = app.read_text(encoding="utf-8")
    app.write_text(before + "\n\nimport os\n", encoding="utf-8")
    # A lower level in the same change makes no difference.
    answers = origin / ".copier-answers.yml"
    answers.write_text(answers.read_text("utf-8").replace("level: 2", "level: 0"), "utf-8")
    commit(origin, "Import what nobody needs")
    runner = clone(origin, tmp_path / "runner")
    failed = judged(runner)
    assert failed.returncode != 0, failed.stdout + failed.stderr
    (comment,) = provider.texts.values()
    assert comment.startswith("<!-- baton: handoff status -->\n\n### ❌ ")
    (lint,) = [line for line in comment.splitlines() if line.startswith("- ❌") and "F401" in line]
    assert lint.startswith("- ❌ **ml-engineering** ")
    assert "`uv run poe fix`" in lint
    assert "level: 2 → 0" in comment

    app.write_text(before, encoding="utf-8")
    git(origin, "checkout", "--quiet", "main", "--", ".copier-answers.yml")
    commit(origin, "Take it back")
    shutil.rmtree(runner)
    passed = judged(clone(origin, runner))
    assert passed.returncode == 0, passed.stdout + passed.stderr
    (comment,) = provider.texts.values()
    assert comment.startswith("<!-- baton: handoff status -->\n\n### ✅ ")
    # The evidence of CI counts here too, because the files are the same.
    run(["uv", "sync", "--locked", "--quiet"], runner)
    status = run(["uv", "run", "handoff", "status", "--format", "json"], runner, env={"CI": "1"})
    outcomes = json.loads(status.stdout)["outcomes"]
    shown = {one["practice"] for one in outcomes if one["state"] == "met"}
    assert {"linted", "typed", "layers-kept", "tests-pass", "contracts-owned"} <= shown


def clone(origin: Path, runner: Path) -> Path:
    """Clone the branch `work` with its target branch, as a runner does."""
    git(origin, "clone", "--quiet", "--no-local", str(origin), str(runner))
    git(runner, "checkout", "--quiet", "--detach", "origin/work")
    return runner


def test_a_new_project_passes_on_github(github: Run, pushed_project: Callable[..., Path]) -> None:
    passed = github(pushed_project(ci="github"))
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "[2/2] uv run poe test" in passed.stdout


def test_a_new_project_passes_on_gitlab_and_a_lint_finding_at_level_1_is_advice(
    gitlab: Run, pushed_project: Callable[..., Path]
) -> None:
    project = pushed_project(ci="gitlab")
    (project / "src/flight_delays/unfinished.py").write_text("import os\n")
    git(project, "add", "--all")
    passed = gitlab(project)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "F401" in passed.stdout + passed.stderr
    # The local runner hides the titles of folded lines.
    assert re.search(r"\d+ passed in", passed.stdout + passed.stderr)


JUDGED = {"handoff": 0, "contracts": 0, "data-science": 1, "ml-engineering": 0}
"""The exit codes: at level 1 a broken contract test of a side is advice for the whole change."""


def test_on_github_a_pull_request_fails_only_for_the_side_that_broke_it(
    github: Run, proposed: Callable[..., Path], tmp_path: Path
) -> None:
    project = proposed("github", merged=True)
    event = tmp_path / "event.json"
    event.write_text(
        json.dumps({"pull_request": {"base": {"ref": "main"}, "head": {"ref": "work"}}})
    )
    ran = github(project, "pull_request", "--eventpath", str(event))
    log = ran.stdout + ran.stderr
    by_job = {
        job: "\n".join(re.findall(rf"(?m)^\[handoff/{job} *\] *(.*)$", log))
        for job in (*JUDGED, "oldest-python")
    }
    ended = {job: "Job failed" in text for job, text in by_job.items()}
    assert ended == {job: bool(code) for job, code in JUDGED.items()} | {"oldest-python": False}, (
        log
    )
    red = by_job["data-science"]
    assert "data-science (test@example.com) has to act" in red
    same = "uv run handoff triage --base origin/main --side data-science"
    assert f"The same on your machine: git fetch && {same}" in red
    assert "::error file=src/flight_delays/" in red
    assert "has to act" not in by_job["ml-engineering"]
    assert "No check fails for ml-engineering." in by_job["ml-engineering"]
    # What takes an environment has run once, in the first job.
    assert log.count("⭐ Run Main uv sync --locked") == 1
    assert "uv sync" not in red


def test_on_gitlab_a_merge_request_fails_only_for_the_side_that_broke_it(
    gitlab: Run, proposed: Callable[..., Path]
) -> None:
    project = proposed("gitlab", merged=False)
    predefined = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    variables = [word for item in predefined.items() for word in ("--variable", "=".join(item))]
    done = {job: gitlab(project, job, *variables) for job in JUDGED}
    comment = {job: one.stdout + one.stderr for job, one in done.items()}
    assert {job: one.returncode for job, one in done.items()} == JUDGED, comment
    assert "data-science (test@example.com) has to act" in comment["data-science"]
    assert "No check fails for ml-engineering." in comment["ml-engineering"]


def test_a_missing_lock_gives_the_command_to_create_it(
    github: Run, pushed_project: Callable[..., Path]
) -> None:
    project = pushed_project(ci="github")
    (project / "uv.lock").unlink()
    failed = github(project)
    assert failed.returncode != 0
    assert "To create a lockfile, run `uv lock`" in failed.stdout
    assert "handoff ci check" not in failed.stdout


def test_on_gitlab_a_teams_own_jobs_run_with_those_of_the_template(
    machine: dict[str, str], npm_commands: Path, pushed_project: Callable[..., Path]
) -> None:
    project = pushed_project(ci="gitlab")
    (project / ".gitlab").mkdir(exist_ok=True)
    (project / ".gitlab/team.yml").write_text("nightly:\n  script: [echo ours]\n")
    git(project, "add", "--all")
    listed = run([npm_commands / "gitlab-ci-local", "--list"], project, env=machine).stdout
    assert set(re.findall(r"^(nightly|handoff)\b", listed, re.MULTILINE)) == {"nightly", "handoff"}
