"""The practices that a promotion requires, and the policy that judges it."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest

from baton_handoff.config.project import Project, find_project
from baton_handoff.config.sides import SIDES
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.promotion.promotion_policy import promotion_policy
from baton_handoff.policy.status import promotion_practices as for_promotion
from baton_handoff.policy.status.promotion_practices import promotion_requirements
from baton_handoff.policy.status.status import assess
from baton_handoff.registry.version_facts import find_version
from breaking import BREAKS
from kept_project import TODAY, cache_versions, leave_evidence
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


def test_a_missing_statement_leaves_other_evidence_valid(project: Project) -> None:
    said = 'practice = "{}"\nby = "ml-engineer"'
    write(project, "handoff.toml", said.format("proper-editor"), said.format("tools-introduced"))
    found = promotion_requirements(find_project(project.root), 1)
    assert {one.practice.name for one in found.open} == {"proper-editor"}


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
    assert promotion_policy(shallow, None) == (shallow, [])
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with pytest.raises(HandoffError, match="does not know the main branch"):
        promotion_policy(shallow, None)


def test_without_a_remote_the_checkout_counts(project: Project, tmp_path: Path) -> None:
    loosen(project)
    here = find_project(project.root)
    assert promotion_policy(here, None) == (here, [])
    assert promotion_policy(here, "HEAD")[0].level == 1
    with pytest.raises(HandoffError, match="nowhere is not a commit in this clone"):
        promotion_policy(here, "nowhere")
    (project.root / ".git").rename(tmp_path / "elsewhere")
    assert promotion_policy(here, None) == (here, [])
