"""Git's answers do not depend on a person's settings, and a refusal of git is no answer."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.core.errors import GitError
from baton_handoff.core.git import (
    changed_files,
    git_or_none,
    head_commit,
    is_in_repository,
)
from baton_handoff.core.git_snapshots import snapshots_of
from trip_project import git

CODE = "src/pkg/cleaning.py"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, and settings of a person beside it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "settings"))
    root = tmp_path / "project"
    (root / "src/pkg").mkdir(parents=True)
    (root / "src/pkg/__init__.py").write_text("A = 1\n")
    (root / ".gitignore").write_text("*.log\n")
    git(root, "init", "--quiet")
    git(root, "config", "user.email", "a@example.com")
    git(root, "config", "user.name", "a")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "first")
    return root


def setting(name: str, value: str) -> Callable[[Path], object]:
    return lambda root: git(root, "config", "--global", name, value)


def global_gitignore(root: Path) -> None:
    (root.parent / "ignored").write_text("cleaning.py\n.DS_Store\n.idea/\n")
    git(root, "config", "--global", "core.excludesFile", str(root.parent / "ignored"))


def exclude_of_the_clone(root: Path) -> None:
    (root / ".git/info/exclude").write_text("cleaning.py\n.DS_Store\n.idea/\n")


PERSONAL: dict[str, Callable[[Path], object]] = {
    "untracked files hidden": setting("status.showUntrackedFiles", "no"),
    "global gitignore": global_gitignore,
    "exclude of the clone": exclude_of_the_clone,
    "colours": setting("color.ui", "always"),
    "another diff program": setting("diff.external", "false"),
    "quoted paths": setting("core.quotePath", "true"),
    "no prefix": setting("diff.noprefix", "true"),
    "hooks elsewhere": setting("core.hooksPath", "/nowhere"),
    "an alias": setting("alias.ls-files", "status"),
}


@pytest.mark.parametrize("person", PERSONAL)
def test_no_setting_of_a_person_hides_code(root: Path, person: str) -> None:
    PERSONAL[person](root)
    assert changed_files(root, ["src"]) == []
    (root / CODE).write_text("B = 1\n")
    (root / "src/pkg/größe.py").write_text("C = 1\n")
    (root / "src/pkg/__init__.py").write_text("A = 2\n")
    new = [CODE, "src/pkg/größe.py"]
    assert changed_files(root, ["src"]) == sorted(["src/pkg/__init__.py", *new])
    assert set(new) <= set(ProjectFiles(root).paths)
    with snapshots_of(root) as (snapshots, folder):
        written = snapshots.check_out(snapshots.working_directory(), folder / "tree")
        assert (written / CODE).exists()


@pytest.mark.parametrize("hide", [global_gitignore, exclude_of_the_clone])
def test_files_of_editors_and_the_projects_gitignore_stay_ignored(
    root: Path, hide: Callable[[Path], None]
) -> None:
    hide(root)
    (root / "src/.DS_Store").write_text("")
    (root / "src/.idea").mkdir()
    (root / "src/.idea/workspace.xml").write_text("")
    (root / "src/run.log").write_text("")
    assert changed_files(root, ["src"]) == []
    assert not [path for path in ProjectFiles(root).paths if "idea" in path or "log" in path]


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_a_mark_in_the_index_hides_no_change(root: Path, mark: str) -> None:
    git(root, "update-index", mark, "src/pkg/__init__.py")
    (root / "src/pkg/__init__.py").write_text("A = 2\n")
    assert changed_files(root, ["src"]) == ["src/pkg/__init__.py"]


def test_a_change_that_is_only_staged_elsewhere_and_a_new_time_are_no_change(root: Path) -> None:
    os.utime(root / "src/pkg/__init__.py", (1, 1))
    assert changed_files(root, ["src"]) == []
    (root / CODE).write_text("B = 1\n")
    git(root, "add", CODE)
    assert changed_files(root, ["src"]) == [CODE]


def test_the_variables_of_a_hook_lead_nowhere_else(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GIT_DIR": ".git",
        "GIT_INDEX_FILE": ".git/index",
        "GIT_PREFIX": "",
    }.items():
        monkeypatch.setenv(name, value)
    assert git_or_none(root / "src", "rev-parse", "--show-prefix") == "src/"
    assert changed_files(root / "src", ["pkg"]) == []


@pytest.mark.parametrize(
    "ask",
    [
        is_in_repository,
        head_commit,
        lambda root: git_or_none(root, "log"),
        lambda r: ProjectFiles(r).paths,
    ],
)
def test_a_repository_of_another_owner_is_a_sentence_with_its_remedy(
    root: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Path], object]
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitError, match=r"git config --global --add safe\.directory '.*project"):
        ask(root)


def test_a_repository_has_no_commit_at_first(root: Path) -> None:
    assert head_commit(root)
    (root / ".git/HEAD").write_text("ref: refs/heads/other\n")
    assert head_commit(root) is None
