"""Set-up creates a git repository if there is none, and commits nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from baton_handoff.config.project import ForeignEnvironmentError, Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import require_repository
from baton_handoff.core.git_hooks import hook_problem
from baton_handoff.integrations.setup import prepare_environment, set_up
from trip_project import git


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder, and a uv on PATH that only records its arguments."""
    tools = tmp_path / "tools"
    tools.mkdir()
    script = tools / "uv"
    script.write_text(f'#!/bin/sh\necho "uv $*" >> "{tmp_path}/called"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, "trips", "trips", "candidate")


def repository_of(project: Project) -> Path:
    command = ["git", "rev-parse", "--show-toplevel"]
    said = subprocess.check_output(command, cwd=project.root, text=True)
    return Path(said.strip())


def test_a_folder_becomes_a_repository_without_a_commit(project: Project) -> None:
    set_up(project)
    assert repository_of(project) == project.root
    log = subprocess.run(["git", "log"], cwd=project.root, capture_output=True, check=False)
    assert b"does not have any commits yet" in log.stderr


def test_the_environment_is_compiled_and_the_hooks_are_installed(project: Project) -> None:
    set_up(project)
    called = (project.root.parent / "called").read_text().splitlines()
    assert called == ["uv sync --quiet --compile-bytecode"]
    assert hook_problem(project.root) is None


def test_kernels_of_every_editor_get_the_settings_of_notebooks(project: Project) -> None:
    set_up(project)
    assert not (project.root / ".venv").exists()
    (project.root / ".venv").mkdir()
    set_up(project)
    settings = project.root / ".venv/etc/ipython/ipython_config.py"
    say = "print('IPython.extensions.autoreload' in get_ipython().extension_manager.loaded)"
    command = [sys.executable, "-m", "IPython", f"--config={settings}", "-c", say]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"True\n"


@pytest.mark.parametrize("moved", [False, True])
def test_hooks_repair_an_environment_that_was_moved_with_its_folder(
    project: Project, monkeypatch: pytest.MonkeyPatch, moved: bool
) -> None:
    def check(_: Project) -> None:
        if moved:
            raise ForeignEnvironmentError(project.root, Path("/other"))

    monkeypatch.setattr(Project, "require_own_environment", check)
    program = project.root / ".venv/bin/tool"
    program.parent.mkdir(parents=True)
    (project.root / ".venv/pyvenv.cfg").touch()
    program.write_text("#!/other/.venv/bin/python\n")
    prepare_environment(project)
    called = project.root.parent / "called"
    assert called.exists() is moved
    if moved:
        assert called.read_text() == "uv sync --quiet --frozen\n"
        assert program.read_text() == f"#!{project.root}/.venv/bin/python\n"


def test_a_folder_of_hooks_that_is_set_elsewhere_does_not_stop_set_up(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(project.root.parent / "settings"))
    git(project.root, "config", "--global", "core.hooksPath", "/company/hooks")
    set_up(project)
    printed = capsys.readouterr().out
    assert f'cd "{project.root}" && uv run --no-sync handoff hooks' in printed
    assert printed.splitlines()[-1].startswith("Ready.")


def test_a_repository_that_contains_the_project_is_used(project: Project) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=project.root, check=True)
    inner = Project(project.root / "inner", "trips", "trips", "candidate")
    inner.root.mkdir()
    set_up(inner)
    assert repository_of(inner) == project.root
    assert not (inner.root / ".git").exists()


@pytest.mark.parametrize("begun", [False, True])
def test_the_first_commit_is_suggested_only_if_there_is_none(
    project: Project, capsys: pytest.CaptureFixture[str], begun: bool
) -> None:
    git(project.root, "init", "--quiet")
    if begun:
        git(project.root, "commit", "--quiet", "--allow-empty", "--message", "long ago")
    set_up(project)
    assert ("make the first commit" in capsys.readouterr().out) is not begun


def test_set_up_can_run_again(project: Project) -> None:
    set_up(project)
    set_up(project)
    require_repository(project.root)


def test_a_missing_repository_is_an_error_with_its_fix(project: Project) -> None:
    with pytest.raises(HandoffError, match="is not in a git repository yet: run `uv run poe"):
        require_repository(project.root)


def test_a_missing_git_is_an_error_in_one_sentence(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project.root.parent / "tools"))
    with pytest.raises(HandoffError, match="git is missing"):
        require_repository(project.root)


def test_the_output_of_a_command_that_fails_is_in_the_error(project: Project) -> None:
    failing = project.root.parent / "tools" / "uv"
    failing.write_text("#!/bin/sh\necho no such package >&2\nexit 1\n")
    with pytest.raises(HandoffError, match=r"`uv sync .*` failed: no such package"):
        set_up(project)
