"""Fixtures of all tests: a neutral environment, the workshop and the shared project."""

import os
import sys
from pathlib import Path

import pytest

from tests.baton import Workshop
from tests.environment import shared_environment
from tests.slices import describe_sample, seed


def pytest_configure() -> None:
    """Fix the seed before any worker starts, so that all workers choose the same slices."""
    seed()


def pytest_report_header() -> str:
    """Report which cases of the large suites run."""
    return describe_sample()


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Return the workshop, which makes each project once for all workers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return Workshop(folder)


@pytest.fixture(autouse=True, scope="session")
def isolated_machine(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Isolate the tests from the machine: Baton's own uv, and no settings of other tools."""
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
    """Return a project with the default answers. Change only a copy of it."""
    return workshop.project({})


@pytest.fixture(scope="session")
def environment(workshop: Workshop) -> Path:
    """Return the virtual environment that the projects of all tests share."""
    return shared_environment(workshop)


@pytest.fixture(scope="session")
def types_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return mypy's cache, so that each worker analyses the libraries once."""
    return tmp_path_factory.mktemp("types")
