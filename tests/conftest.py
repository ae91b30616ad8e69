"""What every test finds: nobody's settings, nobody's git identity, and a workshop."""

import os
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.baton import ROOT, Workshop
from tests.environment import shared_environment


def pytest_configure() -> None:
    """Fix the seed before any worker starts, so that all workers choose the same slices."""
    if "SEED" not in os.environ:
        command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        os.environ["SEED"] = done.stdout.strip() or "0"


def pytest_report_header() -> str:
    """What of the large suites runs, and how to run the same again."""
    if "FULL" in os.environ:
        return "large suites: all of them"
    seed = os.environ["SEED"]
    return f"large suites: the slice of SEED={seed}, by default the commit; FULL=1 runs all"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of each test marked `slice(n)`, keep n cases that the seed chooses."""
    if "FULL" in os.environ:
        return
    suites = defaultdict(list)
    for item in items:
        if marker := item.get_closest_marker("slice"):
            suites[item.path.name, item.name.partition("[")[0], marker.args[0]].append(item)
    dropped = set()
    for (file, name, size), cases in suites.items():
        chance = random.Random(f"{os.environ['SEED']} {file} {name}")  # noqa: S311
        dropped |= {*cases} - {*chance.sample(cases, min(size, len(cases)))}
    config.hook.pytest_deselected(items=[item for item in items if item in dropped])
    items[:] = [item for item in items if item not in dropped]


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
