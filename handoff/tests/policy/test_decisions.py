"""Decisions name alternatives and reasons, and are reviewed in time."""

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.policy.decisions import (
    Decision,
    ToolChoice,
    check_tools,
    first_commit_day,
    overdue_reviews,
    radar,
    radar_text,
    read_decisions,
    review_day,
)

TEXT = """---
status: accepted
side: data-science
review: 6 months
tools:
  Scikit_Learn: {ring: adopt, alternatives: [lightgbm, xgboost]}
  feast: {ring: assess, alternatives: [a table, nothing]}
---

# Models

## Decision

It does all that is needed.

## Consequences
"""
FIRST, TODAY = date(2026, 8, 31), date(2026, 11, 25)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "docs/decisions").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["baton-standards[model]", "scikit-learn>=1.9"]\n'
    )
    decide(tmp_path, TEXT)
    return Project(tmp_path, "mine", "m", "candidate")


def decide(root: Path, text: str) -> None:
    (root / "docs/decisions/0001-models.md").write_text(text, encoding="utf-8")


def decision(months: int = 6, reviewed: date | None = None) -> Decision:
    tools = (ToolChoice("dvc", "adopt", ("git-lfs", "nothing")),)
    return Decision("d.md", tools, "data-science", months, reviewed, True, True)


def commit(root: Path, day: str) -> None:
    at = f"{day}T12:00:00+00:00"
    env = os.environ | {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    me = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "-qm", day, "--allow-empty"]):
        subprocess.run(["git", *me, *command], cwd=root, env=env, check=True)


@pytest.mark.parametrize(
    ("first", "months", "day"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 1, 15), 24, date(2028, 1, 15)),
    ],
)
def test_a_review_day_never_exceeds_the_end_of_its_month(
    first: date, months: int, day: date
) -> None:
    assert review_day(decision(months), first) == day


def test_a_review_is_due_after_the_last_review_or_the_first_commit() -> None:
    assert review_day(decision(reviewed=date(2026, 10, 1)), FIRST) == date(2027, 4, 1)
    assert review_day(decision(), FIRST) == date(2027, 2, 28)
    assert review_day(decision(), None) is None


def test_a_review_is_overdue_from_the_next_day_on() -> None:
    assert overdue_reviews([decision()], FIRST, date(2027, 2, 28)) == []
    (finding,) = overdue_reviews([decision()], FIRST, date(2027, 3, 1))
    assert (finding.check, finding.side, finding.file) == ("tool-review", "data-science", "d.md")
    assert finding.message == "dvc: the review was due on 2027-02-28"
    assert "`reviewed: 2027-03-01`" in finding.fix
    assert not finding.blocks
    assert overdue_reviews([decision()], None, date(2099, 1, 1)) == []


def test_a_review_in_the_future_is_a_finding() -> None:
    ahead = decision(reviewed=date.max)
    assert review_day(ahead, FIRST) == date.max
    (finding,) = overdue_reviews([ahead], FIRST, date(2027, 3, 1))
    assert finding.message == "`reviewed: 9999-12-31` is in the future"


def test_the_first_commit_is_the_oldest(project: Project) -> None:
    assert first_commit_day(project) is None
    commit(project.root, "2026-02-03")
    (project.root / "more").touch()
    commit(project.root, "2026-11-01")
    assert first_commit_day(project) == date(2026, 2, 3)


def test_following_the_fix_ends_the_finding(project: Project) -> None:
    commit(project.root, "2026-02-03")
    assert [finding.check for finding in check_tools(project, TODAY)] == ["tool-review"]
    decide(project.root, TEXT.replace("tools:", f"reviewed: {TODAY}\ntools:"))
    assert check_tools(project, TODAY) == []
    decide(project.root, TEXT.replace("accepted", "superseded"))
    assert [finding.check for finding in check_tools(project, TODAY)] == ["tool-not-chosen"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "Scikit_Learn",
            "sklearn",
            "pyproject.toml requires scikit-learn, and no decision names it",
        ),
        ("[lightgbm, xgboost]", "[lightgbm]", "fewer than 2 alternatives to Sci"),
        ("[lightgbm, xgboost]", "[a, a]", "fewer than 2 alternatives to Scikit"),
        ("It does all that is needed.", "", "the decision has no reason"),
    ],
)
def test_a_tool_without_alternatives_or_reason_is_a_finding(
    project: Project, before: str, after: str, said: str
) -> None:
    assert check_tools(project, TODAY) == []
    decide(project.root, TEXT.replace(before, after))
    (finding,) = check_tools(project, TODAY)
    assert finding.check == "tool-not-chosen"
    assert finding.message.startswith(said)
    assert finding.fix
    assert not finding.blocks


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("accepted", "done", '`status` is "done": use '),
        ("side: data-science", "side: us", '`side` is "us": use '),
        ("6 months", "soon", "use a number of months such as `6 months`"),
        ("6 months", "0 months", "use a number of months such as `6 months`"),
        ("tools:", "reviewed: yesterday\ntools:", '`reviewed` is "yesterday": use a date'),
        ("tools:", "reviewed: 2026-02-31\ntools:", "invalid YAML"),
        ("tools:", "owner: me\ntools:", "`owner` is unknown: use status"),
        ("ring: assess", "ring: love", '`ring` in tools.feast is "love": use '),
        ("ring: assess, ", "", "`ring` is missing in tools.feast: add it"),
        ("[a table, nothing]", "nothing", '`alternatives` in tools.feast is "nothing": use a list'),
        ("status:", "{status:", "invalid YAML"),
    ],
)
def test_bad_front_matter_is_one_sentence(
    project: Project, before: str, after: str, said: str
) -> None:
    decide(project.root, TEXT.replace(before, after))
    with pytest.raises(HandoffError) as caught:
        read_decisions(project)
    assert "docs/decisions/0001-models.md" in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_markdown_is_no_decision(project: Project) -> None:
    for text in ("# Plain\n", "---\ntitle: Ours\n---\n# Ours\n"):
        decide(project.root, text)
        assert read_decisions(project) == []
    assert radar_text(radar([], None, TODAY)) == ""


def test_the_radar_is_ordered_by_ring(project: Project) -> None:
    rows = radar(read_decisions(project), FIRST, date(2027, 3, 1))
    assert [tool.name for tool, _, _ in rows] == ["Scikit_Learn", "feast"]
    assert {when for _, _, when in rows} == {"2027-02-28, overdue"}
    assert radar_text(rows).splitlines()[1].split()[:3] == ["assess", "feast", "2027-02-28,"]
