"""One pipeline per provider: valid, safe, and the same words in all three.

GitHub's and GitLab's are also run, by `tests/system/test_ci_runs.py`. Azure's can't be run outside
Azure: here it meets its schema and says the same as the other two, no more.
"""

import re
import subprocess
import sys
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
SCHEMAS = {
    "github": ["vendor.github-workflows"],
    "gitlab": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    "azure": ["vendor.azure-pipelines", "--regex-variant", "python"],
}


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


def commands(pipelines: dict[str, Any]) -> dict[str, list[str]]:
    """What each pipeline types."""
    github = pipelines["github"]["jobs"]["handoff"]["steps"]
    azure = pipelines["azure"]["jobs"][0]["steps"]
    return {
        "github": [step["run"] for step in github if "run" in step],
        "gitlab": pipelines["gitlab"]["handoff"]["script"],
        "azure": [step["script"] for step in azure if "script" in step],
    }


def pythons(pipelines: dict[str, Any]) -> dict[str, str]:
    """The Python that each pipeline begins with."""
    github = pipelines["github"]["jobs"]["handoff"]["steps"]
    azure = pipelines["azure"]["jobs"][0]["steps"]
    return {
        "github": next(
            step["with"]["python-version"]
            for step in github
            if step.get("uses", "").startswith("actions/setup-python@")
        ),
        "gitlab": pipelines["gitlab"]["handoff"]["image"].removeprefix("python:"),
        "azure": next(
            step["inputs"]["versionSpec"]
            for step in azure
            if step.get("task") == "UsePythonVersion@0"
        ),
    }


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


@pytest.mark.parametrize("ci", PIPELINES)
def test_a_pipelines_first_line_says_whose_it_is(ci: str, projects: dict[str, Path]) -> None:
    first = (projects[ci] / PIPELINES[ci]).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# Template-owned")
    assert "of your own" in first


def test_the_three_pipelines_type_the_same(pipelines: dict[str, Any]) -> None:
    typed = commands(pipelines)
    assert typed["github"][1:] == [
        "uv sync --locked",
        "uv run --locked poe check",
        "uv run --locked poe test",
    ]
    assert typed["github"] == typed["gitlab"] == typed["azure"]


def test_the_pipelines_uv_is_the_one_that_baton_is_tested_with(pipelines: dict[str, Any]) -> None:
    pins = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8")
    pin = re.search(r"^uv==[\d.]+", pins, re.MULTILINE)
    assert pin
    for typed in commands(pipelines).values():
        assert typed[0] == f"python3 -m pip install {pin.group()}"


def test_the_pipelines_python_is_the_newest_that_a_project_may_choose(
    pipelines: dict[str, Any],
) -> None:
    (choices,) = (question.choices for question in QUESTIONS if question.name == "python")
    *_, newest = choices.values()
    assert set(pythons(pipelines).values()) == {newest}


def test_batons_own_workflow_meets_the_schema() -> None:
    workflow = ROOT / ".github/workflows/ci.yml"
    checked = run("check-jsonschema", "--builtin-schema", *SCHEMAS["github"], workflow)
    assert checked.returncode == 0, checked.stdout


def test_no_workflow_has_a_security_finding(projects: dict[str, Path]) -> None:
    for workflow in (projects["github"] / PIPELINES["github"], ROOT / ".github/workflows/ci.yml"):
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
