"""Git compares and merges notebooks with nbdime if it is there, and as ever if it is not."""

import os
import subprocess
from pathlib import Path

import pytest

from baton_handoff.core.notebook_drivers import UNDO, use_nbdime
from trip_project import git

UV = """#!/bin/sh
case "$*" in
  *import*) exit {code} ;;
  *) echo "nbdime: $*" >> "$UV_CALLS" ;;
esac
"""


@pytest.mark.parametrize("installed", [True, False])
def test_git_uses_nbdime_where_it_is_installed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    installed: bool,
) -> None:
    calls, uv, root = tmp_path / "calls", tmp_path / "bin/uv", tmp_path / "repository"
    uv.parent.mkdir()
    uv.write_text(UV.format(code=0 if installed else 1))
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(uv.parent), prepend=os.pathsep)
    monkeypatch.setenv("UV_CALLS", str(calls))
    project = root / "some project"
    project.mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch", "main")
    assert use_nbdime(project)
    assert not use_nbdime(project)
    notebook = project / "a.ipynb"

    def commit(text: str) -> None:
        notebook.write_text(text)
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--message", text[:3])

    commit("one\n2\n3\n4\nfive\n")
    git(root, "checkout", "--quiet", "-b", "other")
    commit("one\n2\n3\n4\nFIVE\n")
    git(root, "checkout", "--quiet", "main")
    notebook.write_text("ONE\n2\n3\n4\nfive\n")
    capfd.readouterr()
    subprocess.run(["git", "--no-pager", "diff"], cwd=root, check=True)
    assert ("+ONE" in capfd.readouterr().out) is not installed
    commit("ONE\n2\n3\n4\nfive\n")
    git(root, "merge", "--quiet", "other", "--message", "merged")
    assert (notebook.read_text() == "ONE\n2\n3\n4\nFIVE\n") is not installed
    called = calls.read_text() if calls.exists() else ""
    assert ("--project ./some project/ git-nbmergedriver merge" in called) is installed

    # One command brings back git's own comparison, and set-up respects that.
    subprocess.run(UNDO.split(), cwd=root, check=True)
    assert not use_nbdime(project)
    notebook.write_text("again\n")
    subprocess.run(["git", "--no-pager", "diff"], cwd=root, check=True)
    assert "+again" in capfd.readouterr().out
