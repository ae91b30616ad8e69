"""One pipeline per provider: valid, safe, and the same words in all three.

GitHub's and GitLab's are also run, by `tests/system/test_ci_runs.py`. Azure's can't be run outside
Azure: here it meets its schema and says the same as the other two, no more.
"""

import re
import subprocess
import sys
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
# Where a change is to be merged into: each provider has its own word for it.
TARGET = "<target>"
# The same where there is one: a push has none.
ON_A_CHANGE = "[--base <target>]"
GATE = f"uv run --locked handoff status --run --stage push {ON_A_CHANGE} --comment"
PAGE = ".handoff/status.html"


@pytest.fixture(scope="module")
def projects(workshop: Workshop) -> dict[str, Path]:
    """A project for each provider."""
    return {ci: workshop.project({"ci": ci}) for ci in PIPELINES}


@pytest.fixture(scope="module")
def pipelines(projects: dict[str, Path]) -> dict[str, Any]:
    """The three pipelines, parsed."""
    return {
        ci: yaml.safe_load((projects[ci] / path).read_text(encoding="utf-8"))
        for ci, path in PIPELINES.items()
    }


@dataclass(frozen=True)
class Job:
    """What a job does, whatever the provider's words for it.

    Attributes:
        types: What it types, with the same word for the target and without the form of findings.
        python: The Python that it begins with.
        whole_history: Whether it fetches all of it, and not as little as the provider would.
        on_a_change: Whether it is there for pull requests only, merge requests that is.
    """

    types: list[str]
    python: str
    whole_history: bool
    on_a_change: bool


def jobs(pipelines: dict[str, Any]) -> dict[str, dict[str, Job]]:
    """The jobs of each pipeline, by the name that people read."""
    azure = {job.get("displayName", job["job"]): job for job in pipelines["azure"]["jobs"]}
    return {
        "github": {name: github_job(job) for name, job in pipelines["github"]["jobs"].items()},
        "gitlab": gitlab_jobs(pipelines["gitlab"]),
        "azure": {name: azure_job(job) for name, job in azure.items()},
    }


def github_job(job: dict[str, Any]) -> Job:
    given = {
        step["uses"].partition("@")[0]: step["with"] for step in job["steps"] if "uses" in step
    }
    typed = [step["run"] for step in job["steps"] if "run" in step]
    return Job(
        types=same_words(typed, "${GITHUB_BASE_REF:+", '"origin/$GITHUB_BASE_REF"'),
        python=given["actions/setup-python"]["python-version"],
        whole_history=given["actions/checkout"].get("fetch-depth") == 0,
        on_a_change=job.get("if") == "github.event_name == 'pull_request'",
    )


def gitlab_jobs(pipeline: dict[str, Any]) -> dict[str, Job]:
    def whole(job: dict[str, Any]) -> dict[str, Any]:
        extended = whole(pipeline[job["extends"]]) if "extends" in job else {}
        return {
            **extended,
            **job,
            "variables": extended.get("variables", {}) | job.get("variables", {}),
        }

    name = "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
    words = "${" + name + ":+", f'"origin/${name}"'
    judging = set(pipeline) - {"promote"}
    named = {name: whole(pipeline[name]) for name in judging if "script" in pipeline[name]}
    return {
        name: Job(
            types=same_words(job["before_script"] + job["script"], *words),
            python=job["image"].removeprefix("python:"),
            whole_history=job["variables"].get("GIT_DEPTH") == "0",
            on_a_change=job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}],
        )
        for name, job in named.items()
    }


def azure_job(job: dict[str, Any]) -> Job:
    name = "SYSTEM_PULLREQUEST_TARGETBRANCH"
    words = "${" + name + ":+", '"origin/${' + name + '#refs/heads/}"'
    inputs = {step["task"]: step["inputs"] for step in job["steps"] if "task" in step}
    return Job(
        types=same_words([step["script"] for step in job["steps"] if "script" in step], *words),
        python=inputs["UsePythonVersion@0"]["versionSpec"],
        whole_history={"checkout": "self", "fetchDepth": "0"} in job["steps"],
        on_a_change=job.get("condition") == "eq(variables['Build.Reason'], 'PullRequest')",
    )


def same_words(typed: list[str], where_there_is: str, target: str) -> list[str]:
    """What is typed, with one word for the target and without the form of findings."""
    found = [line.replace(where_there_is + "--base " + target + "}", ON_A_CHANGE) for line in typed]
    found = [line.replace(target, TARGET) for line in found]
    return [re.sub(r" --format (github|azure)\b", "", line) for line in found]


def run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of Baton's own tools."""
    return baton.run([Path(sys.executable).with_name(tool), *arguments], ROOT, check=False)


@pytest.mark.parametrize("ci", PIPELINES)
def test_a_project_has_its_own_providers_pipeline_and_no_other(
    ci: str, projects: dict[str, Path]
) -> None:
    assert [name for name, path in PIPELINES.items() if (projects[ci] / path).exists()] == [ci]
    assert (projects[ci] / ".github").exists() == (ci == "github")


@pytest.mark.parametrize("ci", PIPELINES)
def test_a_pipeline_meets_its_providers_schema(ci: str, projects: dict[str, Path]) -> None:
    checked = run(
        "check-jsonschema", "--builtin-schema", *SCHEMAS[ci], projects[ci] / PIPELINES[ci]
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("ci", ["github", "azure"])
def test_a_promotion_meets_its_providers_schema(ci: str, projects: dict[str, Path]) -> None:
    checked = run(
        "check-jsonschema", "--builtin-schema", *SCHEMAS[ci], projects[ci] / PROMOTIONS[ci]
    )
    assert checked.returncode == 0, checked.stdout


def test_a_champion_needs_consent_and_comes_one_at_a_time(projects: dict[str, Path]) -> None:
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
    typed = {github["steps"][-1]["run"], gitlab["script"][-1]}
    promote = 'uv run --locked handoff model promote "$VERSION" --why "$WHY" --run'
    # Azure's predefined variables don't say which branch is the main one: it is main or master.
    assert (typed, steps[-1]["script"]) == ({f'{promote} --base "origin/$MAIN"'}, promote)
    depths = (
        github["steps"][0]["with"]["fetch-depth"],
        gitlab["variables"]["GIT_DEPTH"],
        steps[0]["fetchDepth"],
    )
    assert set(map(str, depths)) == {"0"}


def test_a_pull_request_asks_for_the_same_on_every_provider(projects: dict[str, Path]) -> None:
    asked = {(projects[ci] / path).read_text(encoding="utf-8") for ci, path in TEMPLATES.items()}
    assert len(asked) == 1


@pytest.mark.parametrize("ci", PIPELINES)
def test_a_pipelines_first_line_says_whose_it_is(ci: str, projects: dict[str, Path]) -> None:
    first = (projects[ci] / PIPELINES[ci]).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# Template-owned")
    assert "of your own" in first


def test_the_three_pipelines_say_the_same(pipelines: dict[str, Any]) -> None:
    said = jobs(pipelines)
    assert {name: job.types[2:] for name, job in said["github"].items()} == {
        "handoff": [f"{GATE} --html {PAGE}"],
        "contracts": [
            f"uv run --locked handoff contract diff --base {TARGET}",
            f"uv run --locked handoff done --base {TARGET}",
        ],
        "data-science": [f"uv run --locked handoff triage --base {TARGET} --side data-science"],
        "ml-engineering": [f"uv run --locked handoff triage --base {TARGET} --side ml-engineering"],
    }
    for job in said["github"].values():
        assert job.types[1] == "uv sync --locked"
    assert said["github"] == said["gitlab"] == said["azure"]


def test_what_judges_a_change_sees_the_whole_history(pipelines: dict[str, Any]) -> None:
    for named in jobs(pipelines).values():
        assert {name for name, job in named.items() if not job.on_a_change} == {"handoff"}
        assert all(job.whole_history for job in named.values())


def test_findings_stand_at_the_lines_of_a_pull_request(projects: dict[str, Path]) -> None:
    text = (projects["github"] / PIPELINES["github"]).read_text(encoding="utf-8")
    asked = "handoff (diff|done|status|triage) "
    judging = [line for line in text.splitlines() if re.search(asked, line)]
    assert [" --format github" in line for line in judging] == [True] * 5


def test_only_who_writes_the_comment_is_given_a_token(pipelines: dict[str, Any]) -> None:
    github = pipelines["github"]
    assert github["permissions"] == {"contents": "read"}
    allowed = {
        name: job["permissions"] for name, job in github["jobs"].items() if "permissions" in job
    }
    assert allowed == {"handoff": {"contents": "read", "pull-requests": "write"}}
    steps = [step for job in github["jobs"].values() for step in job["steps"]]
    assert [step for step in steps if "env" in step] == [
        step for step in steps if "--comment" in step.get("run", "")
    ]
    (azure,) = [
        step for job in pipelines["azure"]["jobs"] for step in job["steps"] if "env" in step
    ]
    assert "--comment" in azure["script"]


def test_evidence_and_page_are_kept_whatever_was_found(pipelines: dict[str, Any]) -> None:
    *_, github = pipelines["github"]["jobs"]["handoff"]["steps"]
    assert github["if"] == "always()"
    assert github["with"]["path"].split() == [".handoff/evidence", PAGE]
    assert github["with"]["include-hidden-files"] is True
    gitlab = pipelines["gitlab"]["handoff"]["artifacts"]
    assert gitlab["when"] == "always"
    assert gitlab["paths"] == [PAGE, ".handoff/evidence/"]
    *_, azure = pipelines["azure"]["jobs"][0]["steps"]
    assert (azure["publish"], azure["condition"]) == (".handoff", "always()")


@pytest.mark.parametrize("ci", PIPELINES)
def test_nothing_is_written_into_a_command_by_the_provider(
    pipelines: dict[str, Any], ci: str
) -> None:
    """The name of a branch may hold anything: it reaches a shell as a quoted variable only."""
    typed = [line for job in jobs(pipelines)[ci].values() for line in job.types]
    assert typed
    assert [line for line in typed if re.search(r"\$", line)] == []


@pytest.mark.parametrize("name", ["", "main", "a b", "$(touch taken)", '"; touch taken; "'])
@pytest.mark.parametrize(
    ("ci", "variable", "prefix"),
    [
        ("github", "GITHUB_BASE_REF", ""),
        ("gitlab", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        ("azure", "SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/"),
    ],
)
def test_the_gate_gets_a_branch_as_one_word_and_on_a_push_none(
    projects: dict[str, Path], tmp_path: Path, ci: str, variable: str, prefix: str, name: str
) -> None:
    text = (projects[ci] / PIPELINES[ci]).read_text(encoding="utf-8")
    (line,) = re.findall(r"(?m)(uv run --locked handoff status .*)$", text)
    said = 'uv() { for word; do echo "$word"; done; }\n' + line
    given = {variable: f"{prefix}{name}"} if name else {}
    words = baton.run(["sh", "-c", said], tmp_path, env=given).stdout.splitlines()
    *_, push = words[:7]
    assert push == "push"
    based = ["--base", f"origin/{name}"] if name else []
    assert [word for word in words[7:] if word != "--format" and word != ci] == [
        *based,
        "--comment",
        "--html",
        PAGE,
    ]
    assert [*tmp_path.iterdir()] == []


def test_a_push_with_an_open_merge_request_runs_one_pipeline(pipelines: dict[str, Any]) -> None:
    never, otherwise = pipelines["gitlab"]["workflow"]["rules"]
    assert "$CI_OPEN_MERGE_REQUESTS" in never["if"]
    assert (never["when"], otherwise) == ("never", {"when": "always"})


def test_the_pipelines_uv_is_the_one_that_baton_is_tested_with(pipelines: dict[str, Any]) -> None:
    pins = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8")
    pin = re.search(r"^uv==[\d.]+", pins, re.MULTILINE)
    assert pin
    installing = {job.types[0] for named in jobs(pipelines).values() for job in named.values()}
    assert installing == {f"python3 -m pip install {pin.group()}"}


def test_the_pipelines_python_is_the_newest_that_a_project_may_choose(
    pipelines: dict[str, Any],
) -> None:
    (choices,) = (question.choices for question in QUESTIONS if question.name == "python")
    *_, newest = choices.values()
    assert {job.python for named in jobs(pipelines).values() for job in named.values()} == {newest}


def test_batons_own_workflow_meets_the_schema() -> None:
    workflow = ROOT / ".github/workflows/ci.yml"
    checked = run("check-jsonschema", "--builtin-schema", *SCHEMAS["github"], workflow)
    assert checked.returncode == 0, checked.stdout


def test_no_workflow_has_a_security_finding(projects: dict[str, Path]) -> None:
    own = [projects["github"] / workflows["github"] for workflows in (PIPELINES, PROMOTIONS)]
    for workflow in (*own, ROOT / ".github/workflows/ci.yml"):
        audited = run("zizmor", "--offline", workflow)
        assert audited.returncode == 0, audited.stdout


def test_an_action_that_is_not_pinned_would_be_a_finding(
    projects: dict[str, Path], tmp_path: Path
) -> None:
    text = (projects["github"] / PIPELINES["github"]).read_text(encoding="utf-8")
    loose = tmp_path / "handoff.yml"
    loose.write_text(re.sub(r"(actions/checkout)@\S+", r"\1@v7", text), encoding="utf-8")
    audited = run("zizmor", "--offline", loose)
    assert audited.returncode != 0
    assert "unpinned-uses" in audited.stdout
