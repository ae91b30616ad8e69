"""Fixtures of the system tests: AWS, a committed project, npm's commands, a computer."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from tests.baton import Workshop, commit, git, owners, run
from tests.system.computer import Computer, computer, install_npm

HERE = Path(__file__).parent
APT = (HERE / "apt.txt").read_text(encoding="utf-8").split()


@pytest.fixture(scope="session")
def aws() -> Iterator[dict[str, str]]:
    """Yield environment variables that select a simulator of AWS on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "PYTHONDONTWRITEBYTECODE": "",  # if it is set, each start of DVC is slow
    }
    server.stop()


@pytest.fixture
def pushed_project(workshop: Workshop, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that renders a project, locks it, and commits it on `main`."""

    def make(**answers: str) -> Path:
        project = shutil.copytree(workshop.project(answers), tmp_path / "flight-delays")
        git(project, "init", "--quiet", "--initial-branch=main")
        run(["uv", "lock"], project)
        owners(project)
        commit(project, "Begin")
        return project

    return make


@pytest.fixture(scope="session")
def npm_commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with Node and the commands in package-lock.json."""
    return install_npm(tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="session")
def fresh_computer(npm_commands: Path) -> Iterator[Computer]:
    """Yield a computer with a container engine and the base image."""
    if os.geteuid() or not all(map(shutil.which, ("mmdebstrap", "podman", "crun", "newuidmap"))):
        pytest.fail(f"Run as root, after: apt-get install {' '.join(APT)}", pytrace=False)
    with computer(npm_commands) as at:
        yield at
