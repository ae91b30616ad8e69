"""Build, start and enter the devcontainer of a new project."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.computer import UID, Computer

VOLUME = "/home/dev/.uv"


@dataclass(frozen=True)
class Opened:
    """A project that is open in its devcontainer."""

    project: Path
    computer: Computer
    container: str

    def inside(self, *command: str) -> str:
        """Run a command inside the container; return its output."""
        return self.computer.devcontainer("exec", self.project, *command)


@pytest.fixture(scope="module")
def opened(default_project: Path, fresh_computer: Computer) -> Opened:
    """Return the default project, opened for the first time."""
    project = fresh_computer.receive(default_project)
    return Opened(project, fresh_computer, fresh_computer.up(project))


def test_an_opened_project_is_set_up_and_passes_its_checks(opened: Opened) -> None:
    assert (opened.project / "uv.lock").exists()
    opened.inside("uv", "run", "--locked", "poe", "check")


def test_the_user_inside_is_not_root_and_keeps_the_uid(opened: Opened) -> None:
    assert opened.inside("id", "--user", "--name") == "dev"
    assert opened.inside("id", "--user") == str(UID)


def test_the_environment_is_outside_the_workspace(opened: Opened) -> None:
    python = ("uv", "run", "--no-sync", "python", "-c", "import sys; print(sys.prefix)")
    assert opened.inside(*python) == f"{VOLUME}/venv"
    assert not (opened.project / ".venv").exists()


def test_the_user_owns_files_from_inside_also_outside(opened: Opened) -> None:
    opened.inside("touch", "made-inside")
    assert (opened.project / "made-inside").stat().st_uid == UID
    assert "?? made-inside" in opened.inside("git", "status", "--short")


def test_packages_are_in_a_volume_that_the_user_may_write(opened: Opened) -> None:
    opened.inside("mountpoint", "--quiet", VOLUME)
    assert opened.inside("stat", "--format=%U", VOLUME) == "dev"


def test_the_user_owns_the_volumes_mount_point_in_the_image(opened: Opened) -> None:
    # Docker gives a new volume the owner of the mount point; podman would hide a mistake.
    podman = opened.computer.run
    image = podman("podman", "inspect", "--format={{.ImageName}}", opened.container)
    stat = ("--entrypoint=stat", image, "--format=%U", VOLUME)
    assert podman("podman", "run", "--rm", *stat) == "dev"


def test_opening_a_project_again_reuses_the_container(opened: Opened) -> None:
    assert opened.computer.up(opened.project) == opened.container


def test_a_rebuilt_container_sets_itself_up_without_the_network(opened: Opened) -> None:
    again = ("--remove-existing-container", "--remote-env=UV_OFFLINE=1")
    assert opened.computer.up(opened.project, *again) != opened.container
    opened.inside("uv", "run", "--no-sync", "handoff", "--help")
