"""A job of CI learns the base from its provider, and reports a change for each side."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.log_folds import folded
from baton_handoff.integrations import judged_change, oldest_python
from baton_handoff.integrations.ci_provider import as_log_lines, base_in
from baton_handoff.integrations.judged_change import JOBS, judge, write_results
from baton_handoff.reporting.findings import Finding
from trip_project import git, trip_project

HOSTILE = ("$(touch${IFS}taken)", ";touch${IFS}taken;", '"&&touch${IFS}taken', "'`touch`'")
RED = Finding("contracts-tested", "data-science has to act: b fails", True, side="data-science")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return trip_project(tmp_path / "p", "pandas")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """Return the findings of a triage that takes no time; a contract has none."""
    findings: list[Finding] = []
    monkeypatch.setattr(judged_change, "triaged", lambda *_: (findings, "Compared."))
    monkeypatch.setattr(judged_change, "compared_contracts", lambda *_: ([], "No change."))
    return findings


def edited(project: Project, path: str = "src/trips/__init__.py") -> Project:
    (project.root / path).parent.mkdir(exist_ok=True)
    (project.root / path).write_text("# other\n")
    return project


@pytest.mark.parametrize(
    ("env", "base"),
    [
        ({}, None),
        ({"GITHUB_BASE_REF": "", "GITHUB_REF": "refs/heads/main"}, None),
        ({"GITHUB_BASE_REF": "main"}, "origin/main"),
        ({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release/1"}, "origin/release/1"),
        ({"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}, "origin/main"),
    ],
)
def test_the_base_is_the_branch_that_the_provider_names(
    env: dict[str, str], base: str | None
) -> None:
    assert base_in(env) == base


def test_in_a_merge_queue_the_base_is_the_commit_before_the_queued_changes(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"merge_group": {"base_sha": "0c8d485", "base_ref": "main"}}))
    env = {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_EVENT_PATH": str(event)}
    assert base_in(env) == "0c8d485"


def test_no_check_receives_the_token_of_the_comment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []

    def judged(*_: object) -> list[object]:
        seen.append(os.environ.get("GITHUB_TOKEN"))
        return []

    def checked(*_: object, **__: object) -> None:
        seen.append(os.environ.get("GITHUB_TOKEN"))
        raise HandoffError("no more is tried here")

    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setattr(judged_change, "judge", judged)
    monkeypatch.setattr("baton_handoff.cli.policy.assessed", checked)
    monkeypatch.chdir(project.root)
    assert main(["ci", "check", "--base", "main"]) != 0
    assert seen == [None, None]
    assert os.environ["GITHUB_TOKEN"] == "secret"


def test_a_red_side_is_told_what_to_do_and_the_other_passes(
    project: Project, found: list[Finding], tmp_path: Path
) -> None:
    found.append(RED)
    write_results(tmp_path / "ci", judge(edited(project), "main", "github"))
    passed = {job: (tmp_path / f"ci/{job}.passed").exists() for job in JOBS}
    assert passed == {"contracts": True, "data-science": False, "ml-engineering": True}
    first, *_, command, _, annotation = (
        (tmp_path / "ci/data-science.txt").read_text().strip().split("\n")
    )
    assert first == "✗ data-science has to act: b fails  [data-science]"
    assert command == (
        "The same on your machine: git fetch &&"
        " uv run handoff triage --base main --side data-science"
    )
    assert annotation.startswith("::error::")
    assert "data-science has to act" in annotation
    other = (tmp_path / "ci/ml-engineering.txt").read_text()
    assert other == "No check fails for ml-engineering.\n"


def test_a_later_run_leaves_no_result_of_an_earlier_one(
    project: Project, found: list[Finding], tmp_path: Path
) -> None:
    edited(project)
    write_results(tmp_path / "ci", judge(project, "main", None))
    found.append(RED)
    write_results(tmp_path / "ci", judge(project, "main", None))
    assert not (tmp_path / "ci/data-science.passed").exists()


def test_a_comparison_that_can_not_run_passes_no_job_of_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, found: list[Finding]
) -> None:
    def fail(*_: object) -> None:
        raise HandoffError("origin/main is no commit.")

    assert found == []
    monkeypatch.setattr(judged_change, "triaged", fail)
    results = {one.job: one for one in judge(edited(project), "main", None)}
    assert [job for job, one in results.items() if one.passed] == ["contracts"]
    assert "origin/main is no commit." in results["ml-engineering"].text


@pytest.mark.parametrize(
    ("path", "judged"),
    [
        ("notebooks/a.ipynb", False),
        ("docs/a.png", False),
        ("README.md", False),
        ("standards/README.md", True),
        ("src/trips/__init__.py", True),
        ("notebooks.py", True),
    ],
)
def test_nothing_is_compared_for_a_change_that_no_contract_depends_on(
    project: Project, found: list[Finding], path: str, *, judged: bool
) -> None:
    found.append(RED)
    results = judge(edited(project, path), "main", None)
    assert [one.passed for one in results] == [True, not judged, True]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_branch_title_or_file_name_is_a_command(
    project: Project, found: list[Finding], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    edited(project)
    git(project.root, "branch", name)
    git(project.root, "commit", "--quiet", "--allow-empty", "--message", name)
    git(project.root, "tag", name.replace("$", "€"))
    edited(project, f"src/trips/{name}.py")
    found.append(Finding("typed", f"{name} fails", True, side="data-science", file=f"{name}.py"))
    monkeypatch.chdir(project.root)
    (text,) = (one.text for one in judge(project, name, "github") if not one.passed)
    (command,) = [line for line in text.splitlines() if line.startswith("The same on your")]
    # What a person copies and runs.
    shell = 'git() { :; }; uv() { for word; do echo "$word"; done; }; ' + command.partition(": ")[2]
    words = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert words.stdout.splitlines()[4] == name
    assert not [*project.root.rglob("taken")]


def test_no_line_of_a_report_is_a_command_for_the_provider() -> None:
    lines = ["::add-mask::a", "  ::error::b", "##vso[task.setvariable variable=a]b", "a::b"]
    harmless = as_log_lines("\n".join(lines)).splitlines()
    assert harmless == [
        "> ::add-mask::a",
        "  > ::error::b",
        "> ##vso[task.setvariable variable=a]b",
        "a::b",
    ]


@pytest.mark.parametrize(
    ("variable", "begin", "end"),
    [
        ("GITHUB_ACTIONS", "::group::Tests", "::endgroup::"),
        ("TF_BUILD", "##[group]Tests", "##[endgroup]"),
        ("GITLAB_CI", "section_start:", "section_end:"),
        ("EDITOR", "Tests", "work"),
    ],
)
def test_a_part_of_a_log_is_folded_as_the_provider_reads_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    begin: str,
    end: str,
) -> None:
    for name in ("GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "true")
    with folded("Tests"):
        print("work", file=sys.stderr)
    lines = capsys.readouterr().err.strip().split("\n")
    assert begin in lines[0]
    assert end in lines[-1]


@pytest.mark.parametrize(
    ("stated", "oldest"),
    [
        (">=3.11,<3.14", "3.11"),
        (">=3.11.4", "3.11"),
        ("~=3.12", "3.12"),
        ("==3.13.*", "3.13"),
        (">3.11,!=3.12.*", "3.11"),
    ],
)
def test_the_oldest_python_is_the_one_that_the_project_states(
    project: Project, stated: str, oldest: str
) -> None:
    (project.root / "pyproject.toml").write_text(f'[project]\nrequires-python = "{stated}"\n')
    assert oldest_python.oldest_python(project) == oldest


def test_the_tests_run_in_an_environment_of_the_oldest_python(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (project.root / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.10"\n')
    monkeypatch.setenv("UV", "echo")
    assert oldest_python.run_tests(project) == 0
    assert capfd.readouterr().out == "run --isolated --locked --python 3.10 handoff test\n"
    monkeypatch.setenv("UV", "false")
    assert oldest_python.run_tests(project) == 1
    assert "The tests fail on Python 3.10." in capfd.readouterr().out


def test_the_tests_do_not_run_twice_on_one_python(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    here = f"3.{sys.version_info.minor}"
    (project.root / "pyproject.toml").write_text(f'[project]\nrequires-python = ">={here}"\n')
    monkeypatch.setenv("UV", "false")
    assert oldest_python.run_tests(project) == 0
    assert f"Python {here} is the oldest" in capfd.readouterr().out
