"""A pull request has one comment, which each run updates; if that fails, the error says why."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from baton_handoff.cli import main
from baton_handoff.config.code_owners import write_owners
from baton_handoff.config.project import Project, find_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.pull_request_comments import post
from baton_handoff.policy.rendering.markdown_report import MARKER
from baton_handoff.policy.status import status
from baton_handoff.policy.status.missing_evidence import TOKENS
from hosting import READER, TOKEN, Provider, hosted
from kept_project import TODAY, leave_evidence

FIRST, SECOND = (f"{MARKER}\n\n### {sign} trips\n" for sign in ("❌", "✅"))


@pytest.fixture(params=["github", "gitlab", "azure"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with hosted(request.param) as provider:
        yield provider


@pytest.fixture
def trips(tmp_path: Path, provider: Provider) -> Project:
    return Project(tmp_path, "trips", "m", "candidate", ci=provider.name)


def test_a_later_run_updates_the_same_comment(trips: Project, provider: Provider) -> None:
    provider.texts = {1: "Looks good.", 2: f"> {MARKER}\n> quoted"}
    post(trips, FIRST, provider.env())
    post(trips, SECOND, provider.env())
    post(trips, SECOND, provider.env())
    assert provider.texts == {1: "Looks good.", 2: f"> {MARKER}\n> quoted", 3: SECOND}


def test_the_comment_is_found_among_hundreds_of_others(trips: Project, provider: Provider) -> None:
    provider.texts = dict.fromkeys(range(1, 251), "+1")
    post(trips, FIRST, provider.env())
    provider.texts |= dict.fromkeys(range(252, 500), "+1")
    post(trips, SECOND, provider.env())
    assert provider.texts[251] == SECOND
    assert len(provider.texts) == 499


def test_an_azure_thread_is_closed_and_blocks_no_change(tmp_path: Path) -> None:
    with hosted("azure") as provider:
        trips = Project(tmp_path, "trips", "m", "candidate", ci="azure")
        post(trips, FIRST, provider.env())
        assert provider.closed == {1}


def test_a_run_without_a_pull_request_writes_no_comment(trips: Project, provider: Provider) -> None:
    of_a_push = {
        "github": {"GITHUB_REF": "refs/heads/main"},
        "gitlab": {"CI_MERGE_REQUEST_IID": ""},
        "azure": {"SYSTEM_PULLREQUEST_PULLREQUESTID": ""},
    }
    post(trips, FIRST, provider.env() | of_a_push[provider.name])
    assert provider.asked == []


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "set [A-Z_]*TOKEN to"),
        (READER, "refuses it \\(403 Forbidden\\)"),
        ("stolen", "refuses it \\(401 Unauthorized\\)"),
    ],
)
def test_an_error_says_why_no_comment_was_written(
    trips: Project, provider: Provider, token: str, why: str
) -> None:
    with pytest.raises(HandoffError, match=f"^No comment was written: .*{why}[^\n]*\\.$"):
        post(trips, FIRST, provider.env(token))
    assert provider.texts == {}


def test_an_unreachable_provider_is_an_error_in_one_sentence(
    trips: Project, provider: Provider
) -> None:
    away = {name: value.replace("127.0.0.1", "127.0.0.2") for name, value in provider.env().items()}
    with pytest.raises(HandoffError, match="unexpected answer from"):
        post(trips, FIRST, away)


def test_the_summary_is_written_without_the_right_to_comment(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    with hosted("github") as provider:
        trips = Project(tmp_path, "trips", "m", "candidate", ci="github")
        with pytest.raises(HandoffError):
            post(trips, FIRST, {**provider.env(READER), "GITHUB_STEP_SUMMARY": str(summary)})
    assert summary.read_text(encoding="utf-8") == f"before\n{FIRST}"


def test_azure_uploads_the_file_of_the_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HANDOFF_LOCAL", raising=False)
    post(Project(tmp_path, "trips", "m", "candidate", ci="azure"), FIRST, {"TF_BUILD": "True"})
    command, _, file = capsys.readouterr().out.strip().partition("]")
    assert command == "##vso[task.uploadsummary"
    assert Path(file).is_absolute()
    assert Path(file).read_text(encoding="utf-8") == FIRST


def test_a_report_that_is_too_long_is_cut_between_lines(trips: Project, provider: Provider) -> None:
    lines = "".join(f"- finding {number}\n" for number in range(10_000))
    post(trips, f"{FIRST}<details>\n{lines}</details>\n", provider.env())
    (said,) = provider.texts.values()
    assert len(said) < 65_536
    assert said.count("<details>") == said.count("</details>") == 1
    assert said.endswith("`uv run poe status` shows the rest.\n")
    assert all(line in lines for line in said.splitlines() if line.startswith("- "))


@pytest.fixture
def broken(kept: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project at level 2 that breaks one must, in the pipeline of a pull request."""
    answers = kept.root / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("level: 1", "level: 2"), encoding="utf-8")
    project = find_project(kept.root)
    write_owners(project)
    leave_evidence(project, lint=False)
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(status, "assess", partial(status.assess, today=TODAY))
    return project


@pytest.mark.parametrize("token", [TOKEN, READER])
def test_a_failed_comment_does_not_change_the_exit_code_of_status(
    broken: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    token: str,
) -> None:
    with hosted("github") as provider:
        for name, value in provider.env(token).items():
            monkeypatch.setenv(name, value)
        assert main(["status", "--comment"]) == 1
        leave_evidence(broken)
        assert main(["status", "--comment"]) == 0
    complaint = "No comment was written: github refuses it (403 Forbidden).\n"
    assert capsys.readouterr().err == (complaint * 2 if token == READER else "")
    signs = [text.splitlines()[2][:5] for text in provider.texts.values()]
    assert signs == ([] if token == READER else ["### ✅"])


def test_the_comment_names_a_broken_must_with_side_and_fix(
    broken: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted("github") as provider:
        for name, value in provider.env().items():
            monkeypatch.setenv(name, value)
        assert main(["status", "--comment"]) == 1
    (said,) = provider.texts.values()
    assert said.startswith(f"{MARKER}\n\n### ❌ ")
    (blocking,) = [line for line in said.splitlines() if line.startswith("- ❌")]
    assert "**ml-engineering** `linted` No linter findings" in blocking
    assert "→ `uv run poe fix`" in blocking


def test_tools_that_status_runs_do_not_get_the_token(
    broken: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    (broken.root / "uv").write_text(f"#!/bin/sh\nenv > {said}\n", encoding="utf-8")
    (broken.root / "uv").chmod(0o755)
    monkeypatch.setenv("UV", str(broken.root / "uv"))
    (broken.local / "evidence/lint.json").unlink()
    for name in TOKENS:
        monkeypatch.setenv(name, "secret")
    main(["status", "--run", "--stage", "push"])
    assert "UV=" in said.read_text(encoding="utf-8")
    assert "secret" not in said.read_text(encoding="utf-8")
