"""`handoff update` is loud about a conflict, can be undone, and refuses what an update can't do.

`tests/prove/test_update_matrix.py` shows that it loses no edit.
"""

import subprocess
from pathlib import Path

import pytest

from tests import baton
from tests.baton import Workshop, commit, git, owners, render
from tests.edits import append, change_line
from tests.releases import EXTRA, VERSIONS, versions

pytestmark = pytest.mark.long


@pytest.fixture
def template(workshop: Workshop) -> Path:
    return versions(workshop)


def made(template: Path, project: Path, **answers: str) -> Path:
    render(template, project, answers, VERSIONS[0])
    commit(project, "made")
    return project


def update(project: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return owners(project, "update", "--no-commit", *options, check=False)


def files(project: Path) -> dict[str, bytes]:
    """The files of a project, without what is known of its last update."""
    return {path: text for path, text in baton.files(project).items() if ".handoff/" not in path}


def test_a_conflict_is_loud_stays_unmerged_and_can_be_undone(
    template: Path, tmp_path: Path
) -> None:
    project = made(template, tmp_path / "project")
    change_line(project / EXTRA / "same.txt", 20, "our line 20")
    # Git does not see these; the new version writes both.
    (project / ".git/info/exclude").write_text(f"{EXTRA}/far.txt\n{EXTRA}/brought.txt\n*.rej\n")
    git(project, "rm", "--quiet", "--cached", f"{EXTRA}/far.txt")
    git(project, "config", "status.showUntrackedFiles", "no")
    commit(project, "edits")
    change_line(project / EXTRA / "far.txt", 2, "our line 2")
    append(f"{EXTRA}/brought.txt")(project, "our own file")
    before, head = files(project), git(project, "rev-parse", "HEAD")

    done = update(project, "--dry-run")
    assert done.returncode == 1
    assert files(project) == before

    done = update(project)
    assert done.returncode == 1
    assert f"{EXTRA}/same.txt:20" in done.stdout
    merged = (project / EXTRA / "far.txt").read_text(encoding="utf-8")
    assert "our line 2\n" in merged
    assert "better line 20" in merged
    assert "our own file" in (project / EXTRA / "brought.txt").read_text(encoding="utf-8")
    assert f"{EXTRA}/same.txt" in git(project, "ls-files", "--unmerged")
    with pytest.raises(AssertionError, match="unmerged"):
        git(project, "commit", "--message", "refused by git itself")
    assert owners(project, "check", "--only", "conflicts", check=False).returncode == 1

    assert owners(project, "update", "--undo").returncode == 0
    assert files(project) == before
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "rev-parse", "HEAD") == head


REFUSED = {
    "another starter": (("--data", "starter=blank"), "", "make a new project"),
    "another package": (("--data", "package_name=other"), "", "make a new project"),
    "an answer is deleted": ((), "level", "restore"),
    "an answer is edited": ((), "starter", "fixed when a project is made"),
    "the address is deleted": ((), "_src_path", "git checkout"),
}


def test_what_would_change_an_answer_silently_is_refused_in_one_sentence(
    template: Path, tmp_path: Path
) -> None:
    project = made(template, tmp_path / "project")
    answers = project / ".copier-answers.yml"
    for name, (options, key, sentence) in REFUSED.items():
        text = answers.read_text(encoding="utf-8")
        if key:
            kept = [one for one in text.splitlines() if not one.startswith(f"{key}:")]
            added = ["starter: blank"] if key == "starter" else []
            answers.write_text("\n".join([*kept, *added, ""]), encoding="utf-8")
            commit(project, name)
        before = files(project)
        done = update(project, *options)
        assert done.returncode == 2, (name, done.stdout, done.stderr)
        assert sentence.lower() in done.stderr.lower(), name
        assert done.stderr.count("\n") == 1, done.stderr
        assert files(project) == before
        if key:
            git(project, "reset", "--quiet", "--hard", "HEAD~1")


def test_an_old_project_with_empty_answers_is_updated(template: Path, tmp_path: Path) -> None:
    project = made(template, tmp_path / "project")
    answers = project / ".copier-answers.yml"
    text = answers.read_text(encoding="utf-8")
    answers.write_text(text.replace("python: '3.11'", "python: null"), encoding="utf-8")
    git(project, "commit", "--quiet", "--all", "--amend", "--no-verify", "--no-edit")
    done = update(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"_commit: {VERSIONS[-1]}" in answers.read_text(encoding="utf-8")
