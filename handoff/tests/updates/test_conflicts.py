"""A conflict that is still in a file blocks: in the hook, `check`, `status` and so in CI."""

import subprocess
from pathlib import Path

import pytest

from baton_handoff.cli import main
from baton_handoff.config.project import Project, find_project
from baton_handoff.core.errors import SettingsError
from baton_handoff.integrations import hooks
from baton_handoff.updates.conflicts import find_conflicts
from trip_project import git

CONFLICT = "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"

CONFLICTING = {
    ".github/workflows/handoff.yml": f"on: push\n{CONFLICT}",
    "docs/größe guide.md": f"Guide\n=======\n\n{CONFLICT}",
    "notebooks/first.ipynb": f"{{\n{CONFLICT}}}",
    "src/trips/features/calendar.py": f"'''A module.'''\n{CONFLICT}",
    "standards/ruff.toml": CONFLICT.replace("\n", "\r\n"),
    "table.bin": f"\0\n{CONFLICT}",
}
"""A file of each kind with a conflict."""

LIKE_CONFLICTS = {
    "docs/heading.md": "Heading\n=======\n",
    "docs/merging.md": f"Like this:\n\n{CONFLICT}",
    "docs/.gitattributes": "merging.md conflict-marker-size=32\n",
    "docs/indented.md": f"    {CONFLICT}".replace("\n", "\n    "),
    ".venv/a.rej": "not ours",
}

REJECTED = "src/trips/serving/app.py.rej"


@pytest.fixture
def project(kept: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with conflicts, and with files that look like some."""
    monkeypatch.chdir(kept.root)
    for path, text in {**CONFLICTING, **LIKE_CONFLICTS, REJECTED: "@@ -1 +1 @@\n"}.items():
        write(kept.root / path, text)
    return kept


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="")


def test_each_conflict_is_found_with_its_place_and_the_side_that_has_to_act(
    project: Project,
) -> None:
    found = {finding.file: finding for finding in find_conflicts(project)}
    assert {*found} == {*CONFLICTING, REJECTED}
    assert all(finding.blocks for finding in found.values())
    assert {found[path].line for path in ("standards/ruff.toml",)} == {1}
    assert found["docs/größe guide.md"].line == 4
    assert found["src/trips/features/calendar.py"].side == "data-science"
    assert found[REJECTED].side == "ml-engineering"
    assert found["standards/ruff.toml"].side is None


def test_a_rejected_edit_is_found_although_settings_hide_it(project: Project) -> None:
    write(project.root / ".git/info/exclude", "*.rej\n")
    git(project.root, "config", "status.showUntrackedFiles", "no")
    assert REJECTED in {finding.file for finding in find_conflicts(project)}


def test_only_what_is_to_be_committed_counts_before_a_commit(project: Project) -> None:
    assert find_conflicts(project, staged=True) == []
    git(project.root, "add", "--force", "docs", "standards/ruff.toml", REJECTED)
    found = {finding.file for finding in find_conflicts(project, staged=True)}
    assert found == {"docs/größe guide.md", "standards/ruff.toml", REJECTED}
    # What is staged counts, not what is in the work tree meanwhile.
    write(project.root / "docs/größe guide.md", "Guide\n")
    assert len(find_conflicts(project, staged=True)) == len(found)


def test_hook_check_and_status_stop_at_every_level(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = project.root / ".copier-answers.yml"
    write(answers, answers.read_text(encoding="utf-8").replace("level: 1", "level: 0"))
    git(project.root, "add", "standards/ruff.toml")
    monkeypatch.setattr(hooks, "prepare_environment", lambda _: None)
    for command in (["hooks"], ["check", "--only", "conflicts"], ["status", "--stage", "push"]):
        assert main(command) == 1, command
        assert "standards/ruff.toml" in capsys.readouterr().out


def test_a_file_that_git_lists_as_unmerged_is_found(kept: Project) -> None:
    path, root = "docs/guide.md", kept.root
    write(root / path, "one\n")
    git(root, "add", path)
    git(root, "commit", "--quiet", "--message", "one")
    git(root, "checkout", "--quiet", "-b", "other")
    write(root / path, "two\n")
    git(root, "commit", "--quiet", "--all", "--message", "two")
    git(root, "checkout", "--quiet", "-")
    write(root / path, "three\n")
    git(root, "commit", "--quiet", "--all", "--message", "three")
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "merge", "other")
    assert [finding.line for finding in find_conflicts(kept)] == [1]
    write(root / path, "two and three\n")
    assert [(finding.file, finding.line) for finding in find_conflicts(kept)] == [(path, None)]
    git(root, "add", path)
    assert find_conflicts(kept) == []


@pytest.mark.parametrize("name", ["handoff.toml", ".copier-answers.yml"])
def test_a_setting_with_a_conflict_is_reported_as_one(kept: Project, name: str) -> None:
    file = kept.root / name
    text = file.read_text(encoding="utf-8")
    write(file, f"{text}{CONFLICT}")
    with pytest.raises(SettingsError) as error:
        find_project(kept.root)
    assert error.value.line == text.count("\n") + 1
    assert "conflict" in str(error.value)
