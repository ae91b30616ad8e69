"""What every test finds: nobody's settings, nobody's git identity, and a workshop."""

import os
import sys
from pathlib import Path

import pytest

from tests.baton import Workshop
from tests.environment import shared_environment
from tests.slices import described, seed


def pytest_configure() -> None:
    """Fix the seed before any worker starts, so that all workers choose the same slices."""
    seed()


def pytest_report_header() -> str:
    """What of the large suites runs."""
    return described()


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Where projects are made, once for all workers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return Workshop(folder)


@pytest.fixture(autouse=True, scope="session")
def nobodys_machine(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whose machine it is makes no difference: Baton's own uv, and no settings of other tools."""
    home = tmp_path_factory.mktemp("home")
    (home / "clones").mkdir()
    copier = home / "copier.yml"
    copier.write_text("{}")
    cookiecutter = home / "cookiecutter.yml"
    cookiecutter.write_text(f"cookiecutters_dir: {home}/clones\nreplay_dir: {home}/replay\n")
    os.environ |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "COPIER_SETTINGS_PATH": str(copier),
        "COOKIECUTTER_CONFIG": str(cookiecutter),
    }
    for name in [name for name in os.environ if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
        del os.environ[name]


@pytest.fixture(scope="session")
def default_project(workshop: Workshop) -> Path:
    """The project of somebody who answers nothing. Change only a copy of it."""
    return workshop.project({})


@pytest.fixture(scope="session")
def environment(workshop: Workshop) -> Path:
    """The virtual environment that the projects of all tests share."""
    return shared_environment(workshop)


@pytest.fixture(scope="session")
def types_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy has learnt about libraries: each worker pays for it once."""
    return tmp_path_factory.mktemp("types")
