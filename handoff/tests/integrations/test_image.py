"""The image's tag promises a commit, and whichever engine answers builds it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.image import build_image

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts an engine on PATH that only writes down what it is asked; none is there before."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("git", "sh"):
        found = subprocess.check_output(["which", tool], text=True).strip()
        (tools / tool).symlink_to(found)
    monkeypatch.setenv("PATH", str(tools))

    def put(name: str, *, answers: bool = True, builds: bool = True) -> None:
        script = tools / name
        script.write_text(
            f'#!/bin/sh\n[ "$1" = version ] && exit {int(not answers)}\n'
            f'echo "$BUILDAH_FORMAT {name} $*" > {tmp_path}/called\nexit {int(not builds)}\n'
        )
        script.chmod(0o755)

    return put


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in a repository, with nothing committed yet."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "trip.py").write_text("far = 1\n")
    (root / "uv.lock").write_text("\n")
    (root / "pyproject.toml").write_text('[project]\nname = "trips"\nversion = "1.2.3"\n')
    git(root, "init", "--quiet")
    return Project(root, "trips", "trips", "candidate", name="Trips, and more")


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    return subprocess.check_output(["git", *identity, *arguments], cwd=root, text=True).strip()


def commit(root: Path) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "it")
    return git(root, "rev-parse", "HEAD")


def called(project: Project) -> str:
    return (project.root.parent / "called").read_text().strip()


def test_the_tag_and_the_labels_say_which_commit_it_is(project: Project, install: Install) -> None:
    install("podman")
    made = commit(project.root)
    assert build_image(project) == f"trips:{made[:12]}"
    assert called(project) == (
        f"docker podman build --tag=trips:{made[:12]}"
        f" --file={project.root / 'standards/image/Dockerfile'}"
        f" --build-arg=TITLE=Trips, and more --build-arg=VERSION=1.2.3"
        f" --build-arg=REVISION={made} {project.root}"
    )


def test_another_base_reaches_the_build(project: Project, install: Install) -> None:
    install("docker")
    commit(project.root)
    build_image(project, base="mirror.example/python:3.13.14")
    assert "--build-arg=BASE_IMAGE=mirror.example/python:3.13.14" in called(project)


@pytest.mark.parametrize(("docker_answers", "builds"), [(True, "docker"), (False, "podman")])
def test_podman_builds_where_docker_does_not_answer(
    project: Project, install: Install, docker_answers: bool, builds: str
) -> None:
    install("docker", answers=docker_answers)
    install("podman")
    commit(project.root)
    build_image(project)
    assert called(project).split()[1] == builds


def test_without_an_engine_it_says_so(project: Project, install: Install) -> None:
    install("docker", answers=False)
    commit(project.root)
    with pytest.raises(HandoffError, match=r"Neither docker nor podman answers: .*\.$"):
        build_image(project)


@pytest.mark.parametrize("path", ["src/trip.py", "src/new.py", "uv.lock", "standards/new.toml"])
def test_code_that_is_not_committed_is_named_and_not_built(
    project: Project, install: Install, path: str
) -> None:
    install("docker")
    commit(project.root)
    (project.root / path).parent.mkdir(exist_ok=True)
    (project.root / path).write_text("far = 2\n")
    with pytest.raises(HandoffError) as refused:
        build_image(project)
    assert "is not committed" in str(refused.value)
    assert str(refused.value).startswith(path.partition("new")[0])
    assert not (project.root.parent / "called").exists()


def test_more_than_one_is_counted(project: Project, install: Install) -> None:
    install("docker")
    commit(project.root)
    for path in ("src/trip.py", "uv.lock"):
        (project.root / path).write_text("far = 2\n")
    with pytest.raises(HandoffError, match=r"^src/trip\.py \(and 1 more\) is not committed"):
        build_image(project)


def test_what_the_image_does_not_hold_may_be_uncommitted(
    project: Project, install: Install
) -> None:
    install("docker")
    commit(project.root)
    (project.root / "notebook.ipynb").write_text("{}")
    build_image(project)
    assert called(project)


def test_before_the_first_commit_there_is_nothing_to_promise(
    project: Project, install: Install
) -> None:
    install("docker")
    with pytest.raises(HandoffError, match="There is no commit to tag"):
        build_image(project)


def test_a_build_that_fails_is_said(project: Project, install: Install) -> None:
    install("docker", builds=False)
    made = commit(project.root)
    with pytest.raises(HandoffError, match=f"docker can't build trips:{made[:12]}"):
        build_image(project)


def test_outside_a_repository_set_up_is_named(project: Project, install: Install) -> None:
    install("docker")
    (project.root / ".git").rename(project.root / "elsewhere")
    with pytest.raises(HandoffError, match="uv run poe setup"):
        build_image(project)
