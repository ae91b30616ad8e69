"""One pipeline per provider: valid, safe, and with the same commands in all three.

`tests/system/test_ci_runs.py` also runs GitHub's and GitLab's. Azure's can't run outside Azure:
these tests only check its schema and that its commands equal those of the other two.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import baton
from tests.baton import QUESTIONS, ROOT, Workshop

PIPELINES = {
    "github": ".github/workflows/handoff.yml",
    "gitlab": ".gitlab-ci.yml",
    "azure": "azure-pipelines.yml",
}
PROMOTIONS = {
    "github": ".github/workflows/promote.yml",
    "gitlab": ".gitlab-ci.yml",
    "azure": "azure-promotion.yml",
}
TEMPLATES = {
    "github": ".github/pull_request_template.md",
    "gitlab": ".gitlab/merge_request_templates/Default.md",
    "azure": ".azuredevops/pull_request_template.md",
}
SCHEMAS = {
    "github": ["vendor.github-workflows"],
    "gitlab": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    "azure": ["vendor.azure-pipelines", "--regex-variant", "python"],
}
PAGE = ".handoff/status.html"
RESULTS = ("contracts", "data-science", "ml-engineering")


@pytest.fixture(scope="module")
def projects(workshop: Workshop) -> dict[str, Path]:
    """Return a project for each provider."""
    return {ci: workshop.project({"ci": ci}) for ci in PIPELINES}


@pytest.fixture(scope="module")
def pipelines(projects: dict[str, Path]) -> dict[str, Any]:
    """Return the three parsed pipelines."""
    return {
        ci: yaml.safe_load((projects[ci] / path).read_text(encoding="utf-8"))
        for ci, path in PIPELINES.items()
    }


@dataclass(frozen=True)
class Job:
    """A job in a form that is independent of the provider.

    Attributes:
        commands: Its commands.
        python: Its initial Python version; empty if it needs none.
        whole_history: Whether it fetches the whole history instead of a shallow clone.
        on_a_change: Whether it runs only for pull requests or merge requests.
        after: The jobs for which it waits.
    """

    commands: list[str]
    python: str
    whole_history: bool
    on_a_change: bool
    after: list[str]


def jobs(pipelines: dict[str, Any]) -> dict[str, dict[str, Job]]:
    """Return the jobs of each pipeline that judge a change or a push, by their display name."""
    azure = {
        job.get("displayName", job["job"]): job
        for job in pipelines["azure"]["jobs"]
        if job["job"] != "update"
    }
    own = ("update", "code-scanning")  # each provider shows findings in its own way
    github = {name: job for name, job in pipelines["github"]["jobs"].items() if name not in own}
    return {
        "github": {name: github_job(name, job) for name, job in github.items()},
        "gitlab": gitlab_jobs(pipelines["gitlab"]),
        "azure": {name: azure_job(job) for name, job in azure.items()},
    }


def github_job(name: str, job: dict[str, Any]) -> Job:
    given = {
        step["uses"].partition("@")[0]: step["with"] for step in job["steps"] if "uses" in step
    }
    lines = [step["run"].replace("$GITHUB_JOB", name) for step in job["steps"] if "run" in step]
    return Job(
        commands=commands_in(lines),
        python=given.get("actions/setup-python", {}).get("python-version", ""),
        whole_history=given.get("actions/checkout", {}).get("fetch-depth") == 0,
        on_a_change="'pull_request' || github.event_name == 'merge_group'" in job["if"],
        after=[job["needs"]] if "needs" in job else [],
    )


def gitlab_jobs(pipeline: dict[str, Any]) -> dict[str, Job]:
    def whole(job: dict[str, Any]) -> dict[str, Any]:
        extended = whole(pipeline[job["extends"]]) if "extends" in job else {}
        return {
            **extended,
            **job,
            "variables": extended.get("variables", {}) | job.get("variables", {}),
        }

    visible = [
        name
        for name, job in pipeline.items()
        if isinstance(job, dict) and "extends" in job and name not in ("promote", "update")
    ]
    named = {name: whole(pipeline[name]) for name in visible}
    return {
        name: Job(
            commands=commands_in(
                line.replace("$CI_JOB_NAME", name)
                for part in ("before_script", "script", "after_script")
                for line in job.get(part, [])
            ),
            python=job["image"].removeprefix("python:") if "before_script" in job else "",
            whole_history=job["variables"].get("GIT_DEPTH") == "0",
            on_a_change=job["rules"][0]["if"] == '$CI_PIPELINE_SOURCE == "merge_request_event"',
            after=job.get("needs", []),
        )
        for name, job in named.items()
    }


def azure_job(job: dict[str, Any]) -> Job:
    inputs = {step["task"]: step["inputs"] for step in job["steps"] if "task" in step}
    return Job(
        commands=commands_in(step["script"] for step in job["steps"] if "script" in step),
        python=inputs.get("UsePythonVersion@0", {}).get("versionSpec", ""),
        whole_history={"checkout": "self", "fetchDepth": "0"} in job["steps"],
        on_a_change="eq(variables['Build.Reason'], 'PullRequest')" in job["condition"],
        after=[job["dependsOn"]] if "dependsOn" in job else [],
    )


def commands_in(scripts: Iterable[str]) -> list[str]:
    """Return the commands, with results of jobs at the same place for every provider."""
    lines = [line for script in scripts for line in script.splitlines()]
    found = [
        re.sub(r'"?(?:\.handoff/)?(?:ci/)?([a-z-]+\.(txt|passed))"?', r"\1", line) for line in lines
    ]
    return [line.replace(" - its", ": its") for line in found if not line.startswith("cd ")]


def run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of Baton's own tools."""
    return baton.run([Path(sys.executable).with_name(tool), *arguments], ROOT, check=False)


@pytest.mark.parametrize("ci", PIPELINES)
def test_a_project_has_only_the_pipeline_of_its_provider(
    ci: str, projects: dict[str, Path]
) -> None:
    assert [name for name, path in PIPELINES.items() if (projects[ci] / path).exists()] == [ci]
    assert (projects[ci] / ".github").exists() == (ci == "github")


@pytest.mark.parametrize("ci", PIPELINES)
def test_a_pipeline_is_valid_by_its_providers_schema(ci: str, projects: dict[str, Path]) -> None:
    checked = run(
        "check-jsonschema", "--builtin-schema", *SCHEMAS[ci], projects[ci] / PIPELINES[ci]
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("ci", ["github", "azure"])
def test_a_promotion_pipeline_is_valid_by_its_providers_schema(
    ci: str, projects: dict[str, Path]
) -> None:
    checked = run(
        "check-jsonschema", "--builtin-schema", *SCHEMAS[ci], projects[ci] / PROMOTIONS[ci]
    )
    assert checked.returncode == 0, checked.stdout


def test_a_promotion_needs_an_approval_and_never_runs_in_parallel(
    projects: dict[str, Path],
) -> None:
    read = {
        ci: yaml.safe_load((projects[ci] / path).read_text(encoding="utf-8"))
        for ci, path in PROMOTIONS.items()
    }
    github, gitlab = read["github"]["jobs"]["promote"], read["gitlab"]["promote"]
    (azure,) = read["azure"]["jobs"]
    assert {job["environment"] for job in (github, gitlab, azure)} == {"production"}
    assert read["github"]["concurrency"] == {"group": "promotion", "cancel-in-progress": False}
    assert gitlab["resource_group"] == "promotion"
    assert read["azure"]["lockBehavior"] == "sequential"
    steps = azure["strategy"]["runOnce"]["deploy"]["steps"]
    lines = {github["steps"][-1]["run"], gitlab["script"][-1]}
    promote = 'uv run --locked handoff model promote "$VERSION" --why "$WHY" --run'
    # Azure has no variable for the default branch, so main and master both count.
    assert (lines, steps[-1]["script"]) == ({f'{promote} --base "origin/$MAIN"'}, promote)
    depths = (
        github["steps"][0]["with"]["fetch-depth"],
        gitlab["variables"]["GIT_DEPTH"],
        steps[0]["fetchDepth"],
    )
    assert set(map(str, depths)) == {"0"}


def test_the_pull_request_template_is_the_same_for_every_provider(
    projects: dict[str, Path],
) -> None:
    templates = {
        (projects[ci] / path).read_text(encoding="utf-8") for ci, path in TEMPLATES.items()
    }
    assert len(templates) == 1


@pytest.mark.parametrize("ci", PIPELINES)
def test_a_pipelines_first_line_names_its_owner(ci: str, projects: dict[str, Path]) -> None:
    first = (projects[ci] / PIPELINES[ci]).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# Template-owned")
    assert "of your own" in first


def test_the_three_pipelines_run_the_same_commands(pipelines: dict[str, Any]) -> None:
    by_provider = jobs(pipelines)
    uv = by_provider["github"]["handoff"].commands[0]
    lost = "The job handoff ended before it had judged the change: its log tells why."
    assert {name: job.commands for name, job in by_provider["github"].items()} == {
        "handoff": [
            uv,
            "uv sync --locked",
            "uv run --locked handoff ci check",
            "uv cache prune --ci",
        ],
        **{
            name: [f'cat {name}.txt || echo "{lost}"', f"test -e {name}.passed"] for name in RESULTS
        },
        "oldest-python": [
            uv,
            "uv run --locked --no-dev handoff ci oldest-python",
            "uv cache prune --ci",
        ],
    }
    assert by_provider["github"] == by_provider["gitlab"] == by_provider["azure"]


def test_only_jobs_with_an_environment_install_one(pipelines: dict[str, Any]) -> None:
    for named in jobs(pipelines).values():
        assert {name for name, job in named.items() if job.on_a_change} == {*RESULTS}
        for name, job in named.items():
            assert job.after == (["handoff"] if name in RESULTS else [])
            assert job.whole_history == bool(job.python) == (name not in RESULTS)


def test_a_result_is_required_also_if_the_job_before_it_fails(pipelines: dict[str, Any]) -> None:
    """GitHub counts a skipped job as passed."""
    github, gitlab = pipelines["github"]["jobs"], pipelines["gitlab"]
    assert {github[name]["if"].partition(" && ")[0] for name in RESULTS} == {"${{ !cancelled()"}
    assert gitlab[".result"]["rules"][0]["when"] == "always"
    azure = [job for job in pipelines["azure"]["jobs"] if "dependsOn" in job]
    assert len(azure) == len(RESULTS)
    assert {job["condition"].partition(", ")[0] for job in azure} == {"and(not(canceled())"}
    # A checkout of the change could bring results of its own.
    assert all("checkout" not in str(github[name]["steps"]) for name in RESULTS)
    assert gitlab[".result"]["variables"]["GIT_STRATEGY"] == "none"
    assert {job["steps"][0]["checkout"] for job in azure} == {"none"}


def test_only_the_job_that_writes_the_comment_gets_a_token(pipelines: dict[str, Any]) -> None:
    github = pipelines["github"]
    assert github["permissions"] == {"contents": "read"}
    allowed = {
        name: job["permissions"] for name, job in github["jobs"].items() if "permissions" in job
    }
    assert allowed == {
        "handoff": {"contents": "read", "pull-requests": "write"},
        "code-scanning": {"actions": "read", "contents": "read", "security-events": "write"},
    }
    steps = [step for job in github["jobs"].values() for step in job["steps"]]
    writing = ("handoff ci check", "--pull-request")
    assert [step for step in steps if "env" in step] == [
        step for step in steps if any(word in step.get("run", "") for word in writing)
    ]
    azure = [step for job in pipelines["azure"]["jobs"] for step in job["steps"] if "env" in step]
    assert [step["script"].split()[-1] for step in azure] == ["check", "--pull-request"]


def test_a_schedule_only_proposes_an_update_and_only_where_it_is_asked_for(
    pipelines: dict[str, Any],
) -> None:
    command = "uv run --locked handoff update --pull-request"
    github, gitlab = pipelines["github"]["jobs"], pipelines["gitlab"]
    azure = {job["job"]: job for job in pipelines["azure"]["jobs"]}
    scripts = {
        github["update"]["steps"][-1]["run"],
        gitlab["update"]["script"][-1],
        azure["update"]["steps"][-1]["script"],
    }
    assert scripts == {command}
    assert github["update"]["if"] == (
        "github.event_name == 'schedule' && vars.HANDOFF_UPDATE == 'true'"
    )
    asked = '$CI_PIPELINE_SOURCE == "schedule" && $HANDOFF_UPDATE == "true"'
    assert gitlab["update"]["rules"] == [{"if": asked}]
    assert gitlab["handoff"]["rules"][0] == {"if": asked, "when": "never"}
    assert "eq(variables['HANDOFF_UPDATE'], 'true')" in azure["update"]["condition"]
    started = {name: job["if"] for name, job in github.items() if name not in RESULTS}
    never = "github.event_name != 'schedule'"
    assert started == {
        "handoff": never,
        "oldest-python": never,
        **{name: github[name]["if"] for name in ("update", "code-scanning")},
    }
    assert all("schedule" not in github[name]["if"] for name in RESULTS)
    reasons = [
        job["condition"] for name, job in azure.items() if name in ("handoff", "oldest_python")
    ]
    assert reasons == ["ne(variables['Build.Reason'], 'Schedule')"] * 2


def test_evidence_and_page_are_kept_whatever_the_result(pipelines: dict[str, Any]) -> None:
    *_, github, _ = pipelines["github"]["jobs"]["handoff"]["steps"]
    assert github["if"] == "always()"
    reports = [".handoff/findings.sarif", ".handoff/junit.xml"]
    assert github["with"]["path"].split() == [".handoff/ci", ".handoff/evidence", *reports, PAGE]
    assert github["with"]["include-hidden-files"] is True
    gitlab = pipelines["gitlab"]["handoff"]["artifacts"]
    assert gitlab["when"] == "always"
    assert gitlab["paths"] == [PAGE, ".handoff/ci/", ".handoff/evidence/"]
    *_, azure, junit, sarif, _ = pipelines["azure"]["jobs"][0]["steps"]
    assert (azure["publish"], azure["condition"]) == (".handoff", "always()")
    assert gitlab["reports"] == {
        "junit": ".handoff/junit.xml",
        "codequality": ".handoff/code-quality.json",
    }
    assert junit["inputs"] == {"testResultsFiles": ".handoff/junit.xml"}
    assert (sarif["publish"], sarif["artifact"]) == (".handoff/findings.sarif", "CodeAnalysisLogs")


def test_the_job_that_may_write_alerts_runs_no_code_of_the_change(
    pipelines: dict[str, Any],
) -> None:
    job = pipelines["github"]["jobs"]["code-scanning"]
    assert "vars.HANDOFF_CODE_SCANNING == 'true'" in job["if"]
    assert [sorted(step)[0] for step in job["steps"]] == ["uses"] * 3


@pytest.mark.parametrize("ci", PIPELINES)
def test_no_command_contains_a_variable_that_the_provider_expands(
    pipelines: dict[str, Any], ci: str
) -> None:
    """A branch name may contain any character: the engine reads it, no shell does."""
    lines = [line for job in jobs(pipelines)[ci].values() for line in job.commands]
    assert lines
    assert [line for line in lines if re.search(r"\$", line)] == []


def test_a_push_with_an_open_merge_request_runs_one_pipeline(pipelines: dict[str, Any]) -> None:
    never, otherwise = pipelines["gitlab"]["workflow"]["rules"]
    assert "$CI_OPEN_MERGE_REQUESTS" in never["if"]
    assert (never["when"], otherwise) == ("never", {"when": "always"})


def test_the_pipelines_use_the_uv_version_that_baton_is_tested_with(
    pipelines: dict[str, Any],
) -> None:
    pins = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8")
    pin = re.search(r"^uv==[\d.]+", pins, re.MULTILINE)
    assert pin
    every = [job for named in jobs(pipelines).values() for job in named.values()]
    installing = {job.commands[0] for job in every if job.python}
    assert installing == {f"python3 -m pip install {pin.group()}"}


def test_the_pipelines_use_the_newest_supported_python(
    pipelines: dict[str, Any],
) -> None:
    (choices,) = (question.choices for question in QUESTIONS if question.name == "python")
    *_, newest = choices.values()
    used = {job.python for named in jobs(pipelines).values() for job in named.values()}
    assert used == {newest, ""}


def test_batons_own_workflow_is_valid_by_the_schema() -> None:
    workflow = ROOT / ".github/workflows/ci.yml"
    checked = run("check-jsonschema", "--builtin-schema", *SCHEMAS["github"], workflow)
    assert checked.returncode == 0, checked.stdout


def test_no_workflow_has_a_security_finding(projects: dict[str, Path]) -> None:
    own = [projects["github"] / workflows["github"] for workflows in (PIPELINES, PROMOTIONS)]
    for workflow in (*own, ROOT / ".github/workflows/ci.yml"):
        audited = run("zizmor", "--offline", workflow)
        assert audited.returncode == 0, audited.stdout


def test_an_unpinned_action_is_a_finding(projects: dict[str, Path], tmp_path: Path) -> None:
    text = (projects["github"] / PIPELINES["github"]).read_text(encoding="utf-8")
    loose = tmp_path / "handoff.yml"
    loose.write_text(re.sub(r"(actions/checkout)@\S+", r"\1@v7", text), encoding="utf-8")
    audited = run("zizmor", "--offline", loose)
    assert audited.returncode != 0
    assert "unpinned-uses" in audited.stdout
