"""The practices that a promotion requires, and the policy that judges it."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest

from baton_handoff.config.project import Project, find_project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.promotion.promote import approval
from baton_handoff.policy.promotion.promotion_policy import (
    promotion_policy,
    uncommitted_statements,
)
from baton_handoff.policy.status import promotion_practices as for_promotion
from baton_handoff.policy.status.base_practices import merged_registry
from baton_handoff.policy.status.promotion_practices import promotion_requirements
from baton_handoff.policy.status.status import assess
from baton_handoff.registry.version_facts import find_version
from breaking import BREAKS
from kept_project import TODAY, cache_versions, leave_evidence, statement
from levels import PRACTICES, choose
from trip_project import git

ELSEWHERE = {
    *("candidate-traceable", "compared-with-baselines", "sources-described", "sources-official"),
    *("models-watched", "data-watched"),
}
"""What other gates ask of the version itself, and what is about the one in production."""

EXCEPTION = """
[[exceptions]]
practice = "linted"
reason = "the linter is wrong"
owner = "ada"
expires = 2027-01-31
"""


@pytest.fixture
def project(kept: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project that keeps everything, on a day on which it does."""
    monkeypatch.setattr(for_promotion, "assess", partial(assess, today=TODAY))
    return kept


def asked(project: Project, version: int = 1) -> set[tuple[str, str]]:
    """What is open, and what to do, for a version."""
    found = promotion_requirements(find_project(project.root), version)
    return {(one.practice.name, one.fix) for one in found.open}


def write(project: Project, file: str, old: str, new: str) -> None:
    text = (project.root / file).read_text(encoding="utf-8")
    assert old in text
    (project.root / file).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_project_that_meets_all_practices_has_no_open_requirement(
    project: Project, level: int
) -> None:
    assert asked(choose(project, level)) == set()


@pytest.mark.parametrize("name", BREAKS)
def test_a_promotion_requires_what_blocks_it_and_no_other_gate_checks(
    project: Project, name: str
) -> None:
    BREAKS[name][-1](choose(project, 2))
    tiers = {PRACTICES[name].tier(side, 2) for side in SIDES}
    is_asked = name not in ELSEWHERE and bool(tiers & {"must", "should"})
    assert (name in {practice for practice, _ in asked(project)}) is is_asked


def test_at_level_0_the_requirements_of_level_1_are_advice(project: Project) -> None:
    BREAKS["linted"][0](choose(project, 0))
    found = promotion_requirements(find_project(project.root), 1)
    assert ([one.practice.name for one in found.open], found.binding) == (["linted"], False)


def test_enforced_practices_bind_at_level_0_and_come_first(project: Project) -> None:
    enforced = '[enforce]\npractices = ["notebooks-stripped"]\n\n[people]'
    write(project, "handoff.toml", "[people]", enforced)
    choose(project, 0)
    for name in ("linted", "notebooks-stripped"):
        BREAKS[name][0](project)
    leave_evidence(find_project(project.root), lint=False)
    found = promotion_requirements(find_project(project.root), 1)
    assert [one.practice.name for one in found.open] == ["notebooks-stripped", "linted"]
    assert found.binding


def test_a_missing_statement_is_no_requirement_and_leaves_evidence_valid(project: Project) -> None:
    settings = project.root / "handoff.toml"
    unstated = settings.read_text(encoding="utf-8").partition("[[statements]]")[0]
    settings.write_text(unstated, encoding="utf-8")
    assert asked(choose(project, 2)) == set()


def test_an_exception_for_a_practice_counts_and_is_listed(project: Project) -> None:
    with (project.root / "handoff.toml").open("a", encoding="utf-8") as file:
        file.write(EXCEPTION)
    leave_evidence(find_project(project.root), lint=False)
    found = promotion_requirements(find_project(project.root), 1)
    assert (found.open, [one.practice.name for one in found.accepted]) == ([], ["linted"])


def test_requirements_concern_the_promoted_version_not_the_candidate(project: Project) -> None:
    first = find_version(project, "1")
    assert first
    other = {"version": 2, "tags": {**first.tags, "handoff.model": "b"}, "metrics": {}}
    names = ("1", "candidate", "champion")
    cache_versions(project.root, {**dict.fromkeys(names, asdict(first)), "2": other})
    assert asked(project, 1) == set()
    assert asked(project, 2) == {
        ("judged-by-subgroup", PRACTICES["judged-by-subgroup"].fix),
        ("acceptance-passed", "`HANDOFF_ALIAS=2 uv run handoff model accept`"),
    }


@pytest.mark.parametrize("says_so", ["CI", "TF_BUILD"])
def test_a_pipeline_commits_nothing_so_it_needs_no_hook(
    project: Project, monkeypatch: pytest.MonkeyPatch, says_so: str
) -> None:
    BREAKS["hooks-installed"][0](project)
    assert {practice for practice, _ in asked(project)} == {"hooks-installed"}
    monkeypatch.setenv(says_so, "True")
    assert asked(project) == set()


@pytest.fixture
def pushed(project: Project, tmp_path: Path) -> Project:
    """The project on a branch of its own, after its main branch was pushed."""
    git(tmp_path, "init", "--quiet", "--bare", "remote")
    git(project.root, "branch", "--move", "main")
    git(project.root, "remote", "add", "origin", str(tmp_path / "remote"))
    git(project.root, "push", "--quiet", "--set-upstream", "origin", "main")
    git(project.root, "checkout", "--quiet", "-b", "work")
    return project


def commit(project: Project) -> Project:
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "work")
    return find_project(project.root)


def loosen(project: Project) -> None:
    """Lower the level and accept what is not met."""
    write(project, ".copier-answers.yml", "level: 1", "level: 0")
    with (project.root / "handoff.toml").open("a", encoding="utf-8") as file:
        file.write(EXCEPTION)


def test_a_looser_policy_on_a_branch_does_not_count(pushed: Project) -> None:
    loosen(pushed)
    for loosened in (find_project(pushed.root), commit(pushed)):
        judging, eased = promotion_policy(loosened, None)
        assert (judging.level, judging.exceptions) == (1, ())
        assert [(one.blocks, one.message.partition(".")[0]) for one in eased] == [
            (False, "level: 1 → 0"),
            (False, "exception for the practice linted: none → until 2027-01-31"),
        ]
        leave_evidence(judging, lint=False)
        assert [one.practice.name for one in promotion_requirements(judging, 1).open] == ["linted"]


def test_a_statement_on_a_branch_counts_once_it_is_merged(pushed: Project) -> None:
    write(pushed, "handoff.toml", "It is so.", "It is otherwise.")
    write(pushed, "handoff.toml", "expires = 2027-11-01", "expires = 2027-11-02")
    judging, (eased,) = promotion_policy(find_project(pushed.root), None)
    assert "until 2027-11-01 → until 2027-11-02" in eased.message
    leave_evidence(judging)
    assert promotion_requirements(judging, 1).open == []


def test_the_present_policy_of_the_main_branch_counts_for_older_commits(pushed: Project) -> None:
    git(pushed.root, "checkout", "--quiet", "main")
    write(pushed, ".copier-answers.yml", "level: 1", "level: 2")
    commit(pushed)
    git(pushed.root, "push", "--quiet")
    git(pushed.root, "checkout", "--quiet", "HEAD~1")
    assert promotion_policy(find_project(pushed.root), None)[0].level == 2


def test_a_merged_policy_counts(pushed: Project) -> None:
    loosen(pushed)
    commit(pushed)
    git(pushed.root, "push", "--quiet", "origin", "work:main")
    judging, eased = promotion_policy(find_project(pushed.root), None)
    assert (judging.level, len(judging.exceptions), eased) == (0, 1, [])


def test_a_pipeline_without_a_main_branch_refuses_to_promote(
    pushed: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(pushed.root, "push", "--quiet", "origin", "work")
    git(
        tmp_path,
        "clone",
        "--quiet",
        "--depth=1",
        "--branch=work",
        f"file://{tmp_path}/remote",
        "ci",
    )
    for other in ("HEAD", "main"):
        git(tmp_path / "ci", "update-ref", "-d", f"refs/remotes/origin/{other}")
    git(tmp_path / "ci", "checkout", "--quiet", "--detach")
    shallow = find_project(tmp_path / "ci")
    assert promotion_policy(shallow, None)[1] == []
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with pytest.raises(HandoffError, match="does not know the main branch"):
        promotion_policy(shallow, None)


def approvals(project: Project, main: str | None = None) -> tuple[int, list[str], int]:
    """The level, the accepted gates and practices, and the number of statements that count."""
    judging, _ = promotion_policy(find_project(project.root), main)
    accepted = [one.gate or one.practice for one in judging.exceptions]
    return judging.level, accepted, len(merged_registry(judging).statements)


APPROVED = EXCEPTION.replace('practice = "linted"', 'gate = "approval"')


def accept_approval(project: Project) -> None:
    """Lower the level, accept the gate `approval`, and make one statement more."""
    write(project, ".copier-answers.yml", "level: 1", "level: 0")
    with (project.root / "handoff.toml").open("a", encoding="utf-8") as file:
        file.write(APPROVED)
        file.write(statement("performance-profiled", "ml-engineer").replace("It is", "So it is"))


def test_only_what_is_committed_on_the_main_branch_approves(project: Project) -> None:
    """Without a remote the local main branch counts, and no uncommitted file."""
    git(project.root, "branch", "--move", "main")
    text = (project.root / "handoff.toml").read_text(encoding="utf-8")
    unstated = text.replace(statement("performance-profiled", "ml-engineer"), "")
    (project.root / "handoff.toml").write_text(unstated, encoding="utf-8")
    commit(project)
    before = approvals(project)
    assert before[:2] == (1, [])
    accept_approval(project)
    assert approvals(project) == approvals(project, "HEAD") == before
    git(project.root, "checkout", "--quiet", "-b", "work")
    commit(project)
    # A base that a person names adds to the main branch, and does not replace it.
    for base in (None, "HEAD", "work"):
        assert approvals(project, base) == before
    git(project.root, "checkout", "--quiet", "main")
    git(project.root, "merge", "--quiet", "work")
    assert approvals(project) == (0, ["approval"], before[2] + 1)


@pytest.mark.parametrize("remote", ["origin", "upstream"])
def test_a_pushed_branch_that_is_not_the_main_branch_approves_nothing(
    project: Project, tmp_path: Path, remote: str
) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "remote")
    git(project.root, "branch", "--move", "main")
    git(project.root, "remote", "add", remote, str(tmp_path / "remote"))
    git(project.root, "push", "--quiet", "--set-upstream", remote, "main")
    git(project.root, "checkout", "--quiet", "-b", "work")
    accept_approval(project)
    commit(project)
    git(project.root, "push", "--quiet", "--set-upstream", remote, "work")
    git(project.root, "branch", "--force", "main", "work")
    for base in (None, "HEAD", f"{remote}/work"):
        assert approvals(project, base)[:2] == (1, [])
    git(project.root, "push", "--quiet", remote, "work:main")
    assert approvals(project)[:2] == (0, ["approval"])


def test_a_main_branch_whose_settings_cannot_be_read_approves_nothing(project: Project) -> None:
    git(project.root, "branch", "--move", "main")
    correct = (project.root / "handoff.toml").read_text(encoding="utf-8") + APPROVED
    (project.root / "handoff.toml").write_text(f"{correct}[gone]\n", encoding="utf-8")
    git(project.root, "commit", "--all", "--quiet", "--message", "broken")
    (project.root / "handoff.toml").write_text(correct, encoding="utf-8")
    assert approvals(project) == (1, [], 0)


def test_without_a_commit_nothing_can_be_promoted(project: Project, tmp_path: Path) -> None:
    with pytest.raises(HandoffError, match="nowhere is not a commit in this clone"):
        promotion_policy(project, "nowhere")
    (project.root / ".git").rename(tmp_path / "elsewhere")
    with pytest.raises(HandoffError, match="not in a git repository"):
        promotion_policy(project, None)
    git(project.root, "init", "--quiet")
    with pytest.raises(HandoffError, match="make the first commit"):
        promotion_policy(project, None)


@pytest.mark.parametrize(
    ("environment", "approved"),
    [
        ({}, False),
        ({"CI": "true", "GITHUB_ACTOR": "max"}, False),
        ({"GITHUB_ACTIONS": "false", "GITHUB_ACTOR": "max"}, False),
        ({"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "max"}, False),
        ({"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "max"}, False),
        ({"GITHUB_ACTIONS": "true"}, True),
    ],
)
def test_only_a_job_of_the_projects_own_pipeline_is_approved(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    approved: bool,
) -> None:
    """The provider is the one of the main branch, whatever the checkout says."""
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    write(project, ".copier-answers.yml", "ci: github", "ci: gitlab")
    judging, _ = promotion_policy(find_project(project.root), None)
    assert (approval(judging, "champion") == {}) is approved
    assert approval(judging, "staging") == {}


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("docs/model-card.md", lambda file: file.write_text("## Limits\n\nNone.\n")),
        ("docs/decisions/0002.md", lambda file: file.write_text("# Another\n")),
        ("docs/decisions/0001.md", lambda file: file.unlink()),
        ("data/sources/trips.odcs.yaml", lambda file: file.write_text("official: true\n")),
        ("CODEOWNERS", lambda file: file.write_text("* @me\n")),
    ],
)
def test_a_statement_in_an_uncommitted_file_blocks_a_promotion(
    project: Project, file: str, change: Callable[[Path], object]
) -> None:
    """A global gitignore hides no file."""
    commit(project)
    with (project.root / ".git/info/exclude").open("a", encoding="utf-8") as ignored:
        ignored.write("0002.md\n")
    assert uncommitted_statements(project) == []
    (project.root / file).parent.mkdir(exist_ok=True)
    change(project.root / file)
    (found,) = uncommitted_statements(project)
    assert (found.file, found.blocks) == (file, True)
    (found,) = uncommitted_statements(replace(project, level=0))
    assert not found.blocks
    git(project.root, "add", "--all", "--force", "docs", "data/sources", "CODEOWNERS")
    (found,) = uncommitted_statements(project)
    assert found.file == file
    git(project.root, "commit", "--quiet", "--message", "stated")
    assert uncommitted_statements(project) == []
