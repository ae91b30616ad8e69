"""An update that is written ends in one commit, or with what a person has to do first."""

from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.update import UpdateOptions, undo_update, update
from baton_handoff.updates.applied import Record, read_record, save_record
from trip_project import git

UV = """\
#!/bin/sh
case "$*" in
  lock*) [ -z "$LOCK_FAILS" ] || {{ echo "no solution" >&2; exit 1; }}; echo locked >> uv.lock ;;
  *check) [ -z "$CHECK_BLOCKS" ] || exit 1 ;;
  *json) echo '{{}}' ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with an update that is written and staged, and a uv that does what a test asks."""
    root, uv = tmp_path / "project", tmp_path / "uv"
    uv.write_text(UV.format(), encoding="utf-8")
    uv.chmod(0o755)
    monkeypatch.setenv("UV", str(uv))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.com")
    root.mkdir()
    for name in (".gitignore", "a.txt", "uv.lock"):
        text = ".handoff/\n" if name == ".gitignore" else "before\n"
        (root / name).write_text(text, encoding="utf-8")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "first")
    project = Project(root=root, package="trips", model="m", alias="candidate")
    head = git(root, "rev-parse", "HEAD").strip()
    paths = ("a.txt", "new.txt", "uv.lock")
    save_record(project, Record("v1", "v2", head, paths, (), "Update\n\nNews.\n", written=True))
    for name in ("a.txt", "new.txt"):
        (root / name).write_text("after\n", encoding="utf-8")
    git(root, "add", "a.txt", "new.txt")
    return project


def test_it_locks_checks_and_makes_one_commit_with_the_text(project: Project) -> None:
    head = git(project.root, "rev-parse", "HEAD")
    assert update(project, UpdateOptions()) == 0
    assert git(project.root, "log", "-1", "--format=%B").strip() == "Update\n\nNews."
    changed = git(project.root, "show", "--format=", "--name-only", "HEAD").split()
    assert changed == ["a.txt", "new.txt", "uv.lock"]
    assert git(project.root, "status", "--porcelain") == ""
    undo_update(project)
    assert git(project.root, "rev-parse", "HEAD") == head
    assert not (project.root / "new.txt").exists()


@pytest.mark.parametrize("reason", ["LOCK_FAILS", "CHECK_BLOCKS", "a hook", "a conflict"])
def test_it_waits_for_a_person_and_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    root, hook = project.root, project.root / ".git/hooks/pre-commit"
    if reason == "a hook":
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        hook.chmod(0o755)
    elif reason == "a conflict":
        (root / "a.txt").write_text("<<<<<<< a\n=======\n>>>>>>> b\n", encoding="utf-8")
    else:
        monkeypatch.setenv(reason, "1")
    assert update(project, UpdateOptions()) == 1
    record = read_record(project)
    assert record is not None
    assert record.commit == ""
    if reason == "CHECK_BLOCKS":
        assert (root / ".git/SQUASH_MSG").read_text(encoding="utf-8") == record.message
    hook.unlink(missing_ok=True)
    (root / "a.txt").write_text("after\n", encoding="utf-8")
    monkeypatch.setenv(reason.replace(" ", "_"), "")
    assert update(project, UpdateOptions()) == 0
    assert git(root, "log", "-1", "--format=%s").strip() == "Update"


def test_an_interrupted_update_is_undone_first(project: Project) -> None:
    record = read_record(project)
    assert record is not None
    save_record(project, Record(**{**vars(record), "written": False}))
    with pytest.raises(HandoffError, match="--undo"):
        update(project, UpdateOptions())
    undo_update(project)
    assert (project.root / "a.txt").read_text(encoding="utf-8") == "before\n"
    assert git(project.root, "status", "--porcelain") == ""
