"""An update in the work tree is staged as a whole, and undone as a whole, in a subfolder too."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.updates.applied import (
    Record,
    apply_update,
    hidden_paths,
    read_record,
    save_record,
    undo,
)
from baton_handoff.updates.scratch import Entry, Tried, read_tree
from baton_handoff.updates.state import unfinished
from trip_project import git

BEFORE = {
    "standards/a.toml": "a\n",
    "standards/same.toml": "ours\n",
    "standards/gone.toml": "gone\n",
    "standards/folder/inside.toml": "inside\n",
    "größe/x y.txt": "x\n",
}
AFTER = {
    "standards/a.toml": "A\n",
    "standards/same.toml": "<<<<<<< before\nours\n=======\ntheirs\n>>>>>>> after\n",
    "standards/new.toml": "new\n",
    "standards/folder": "a file now\n",
    "größe/x y.txt": "X\n",
    "hidden.json": "{}\n",
}


@pytest.fixture(params=["", "team/ml"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """A project with a file that git ignores, at the root of a repository or in a subfolder."""
    root = tmp_path / "repository" / request.param
    for path, text in {**BEFORE, "hidden.json": "[1]\n", ".gitignore": "hidden.json\n"}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    git(tmp_path / "repository", "init", "--quiet")
    git(tmp_path / "repository", "add", ".")
    git(tmp_path / "repository", "commit", "--quiet", "--message", "first")
    return Project(root=root, package="trips", model="m", alias="candidate")


def listed(project: Project) -> dict[str, Entry]:
    found = [path for path in project.root.rglob("*") if path.is_file()]
    names = [path.relative_to(project.root).as_posix() for path in found]
    return read_tree(project.root, [one for one in names if not one.startswith((".git/", ".hand"))])


def updated(project: Project) -> Record:
    before = listed(project)
    after = {path: Entry(text.encode(), "644") for path, text in AFTER.items()}
    after[".gitignore"] = before[".gitignore"]
    states = [(f"100644 {'0' * 40} {stage}", b"x\n") for stage in (1, 2, 3)]
    tried = Tried(before, {}, after, frozenset(), {"standards/same.toml": states})
    tracked = [path for path in before if path != "hidden.json"]
    record = Record(
        before="v1",
        after="v2",
        head=git(project.root, "rev-parse", "HEAD").strip(),
        paths=tuple(tried.changed),
        hidden=tuple(hidden_paths(project.root, tried, tracked, tried.changed)),
        message="Update",
    )
    assert record.hidden == ("hidden.json",)
    return apply_update(project, tried, after, record)


def test_all_is_written_and_staged_and_a_conflict_stays_unmerged(project: Project) -> None:
    updated(project)
    texts = {path: entry.content.decode() for path, entry in listed(project).items()}
    texts.pop(".gitignore")
    assert texts == AFTER
    lines = git(project.root, "-c", "status.relativePaths=true", "status", "--porcelain").split(
        "\n"
    )
    states = {line[:2] for line in lines if line and ".handoff" not in line}
    assert states == {"M ", "A ", "D ", "UU"}
    with pytest.raises(subprocess.CalledProcessError):
        git(project.root, "commit", "--message", "refused")
    checks = [(one.check, one.blocks) for one in unfinished(project)]
    assert checks == [("conflicts", True), ("update", False)]


def test_undo_restores_the_work_tree_whole(project: Project) -> None:
    before = listed(project)
    updated(project)
    assert undo(project).after == "v2"
    assert listed(project) == before
    assert git(project.root, "status", "--porcelain") == ""
    with pytest.raises(HandoffError):
        undo(project)


def test_undo_takes_a_commit_back_unless_it_is_published(project: Project) -> None:
    before, head = listed(project), git(project.root, "rev-parse", "HEAD")
    record = updated(project)
    (project.root / "standards/same.toml").write_text("both\n", encoding="utf-8")
    git(project.root, "add", "--update", ".")
    git(project.root, "commit", "--quiet", "--message", "Update")
    commit = git(project.root, "rev-parse", "HEAD").strip()
    save_record(project, replace(record, commit=commit))
    git(project.root, "update-ref", "refs/remotes/origin/main", "HEAD")
    with pytest.raises(HandoffError, match="git revert"):
        undo(project)
    git(project.root, "update-ref", "-d", "refs/remotes/origin/main")
    undo(project)
    assert (listed(project), git(project.root, "rev-parse", "HEAD")) == (before, head)


def test_an_interrupted_update_blocks_and_can_be_undone(project: Project) -> None:
    before = listed(project)
    record = updated(project)
    save_record(project, replace(record, written=False))
    assert [one.blocks for one in unfinished(project) if one.check == "update"] == [True]
    undo(project)
    assert listed(project) == before


def test_after_another_commit_there_is_nothing_to_undo(project: Project) -> None:
    updated(project)
    git(project.root, "add", "--all", ".")
    git(project.root, "commit", "--quiet", "--message", "by hand")
    assert read_record(project) is None
