"""What the system tests share: a project as its first push has it, and commands from npm."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.baton import Workshop, commit, git, owners, run

HERE = Path(__file__).parent


@pytest.fixture
def pushed_project(workshop: Workshop, tmp_path: Path) -> Callable[..., Path]:
    """Makes a project with the answers given: locked, and committed on `main`."""

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
    """The folder with Node and the commands that package-lock.json lists."""
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    run(["npm", "ci", "--ignore-scripts"], folder)
    commands = folder / "node_modules/.bin"
    node = run(["node", "--print", "process.execPath"], folder).stdout.strip()
    shutil.copy(node, commands / "node")
    return commands
