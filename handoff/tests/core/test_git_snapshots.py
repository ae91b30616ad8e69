"""The base of a change is found in each kind of clone, or missing, which is an error."""

from pathlib import Path

import pytest

from baton_handoff.core.errors import NoBaseError
from baton_handoff.core.git_snapshots import snapshots_of
from trip_project import git


def repository(folder: Path, branch: str = "main") -> Path:
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", branch)
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "first")
    return folder


def bare(created: Path) -> Path:
    origin = created.parent / "origin.git"
    git(created.parent, "init", "--quiet", "--bare", str(origin))
    return origin


def work(folder: Path) -> None:
    git(folder, "switch", "--quiet", "--create", "work")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "work")


def base(folder: Path, reference: str | None = None) -> str:
    with snapshots_of(folder) as (snapshots, _):
        found = snapshots.base(reference)
        assert str(found) == f"{found.name} ({found.commit[:7]})"
        return found.name


@pytest.mark.parametrize("remote", ["origin", "upstream"])
@pytest.mark.parametrize("branch", ["main", "master"])
def test_the_creator_of_a_repository_is_compared_with_the_pushed_main_branch(
    tmp_path: Path, remote: str, branch: str
) -> None:
    created = repository(tmp_path / "created", branch)
    git(created, "remote", "add", remote, str(bare(created)))
    git(created, "push", "--quiet", "--set-upstream", remote, branch)
    assert base(created) == f"{remote}/{branch}"
    work(created)
    assert base(created) == f"{remote}/{branch}"
    git(created, "push", "--quiet", "--set-upstream", remote, "work")
    assert base(created) == f"{remote}/{branch}"


def test_a_clone_under_another_remote_name_is_compared_with_its_main_branch(
    tmp_path: Path,
) -> None:
    created = repository(tmp_path / "created", "trunk")
    git(tmp_path, "clone", "--quiet", "--origin", "company", str(created), "clone")
    work(tmp_path / "clone")
    assert base(tmp_path / "clone") == "company/trunk"


@pytest.mark.parametrize("branch", ["main", "master"])
def test_without_a_remote_a_branch_is_compared_with_the_local_main_branch(
    tmp_path: Path, branch: str
) -> None:
    created = repository(tmp_path / "created", branch)
    work(created)
    assert base(created) == branch


@pytest.mark.parametrize("branch", ["main", "only"])
def test_the_only_branch_is_compared_with_its_last_commit(tmp_path: Path, branch: str) -> None:
    assert base(repository(tmp_path / "created", branch)) == "the last commit"


def test_a_branch_that_follows_another_is_compared_with_that(tmp_path: Path) -> None:
    created = repository(tmp_path / "created", "main")
    git(created, "branch", "develop")
    work(created)
    git(created, "branch", "--quiet", "--set-upstream-to", "develop")
    assert base(created) == "develop"


def test_a_branch_of_unknown_origin_has_no_base(tmp_path: Path) -> None:
    created = repository(tmp_path / "created", "trunk")
    work(created)
    with pytest.raises(NoBaseError):
        base(created)
    assert base(created, "trunk") == "trunk"


@pytest.mark.parametrize("options", [("--depth", "1"), ("--single-branch",)])
def test_a_clone_of_one_branch_alone_has_no_base(tmp_path: Path, options: tuple[str, ...]) -> None:
    created = repository(tmp_path / "created", "main")
    work(created)
    git(created, "switch", "--quiet", "main")
    address = created.as_uri()
    git(tmp_path, "clone", "--quiet", "--branch", "work", *options, address, "clone")
    with pytest.raises(NoBaseError):
        base(tmp_path / "clone")
