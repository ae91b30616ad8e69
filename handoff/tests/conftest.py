"""What the tests of the handoff package share: both engines, and a small contract for each."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pandera.pandas
import pandera.polars
import pytest
from fastapi.testclient import TestClient

from baton_handoff.config.project import Project, find_project
from baton_handoff.contracts import Contract
from baton_handoff.policy.status.definition_of_done import check_done
from begun_project import Edit, Lacks, begun_project
from kept_project import kept_project
from prices import Write, writer
from trip_project import Change, git, trip_project
from trip_service import Price, api_of, app_of, fixed
from trips import ROWS, PandasTrip, PolarsTrip, Row

SOURCE = Path(__file__).parents[1] / "src"


@pytest.fixture(autouse=True, scope="session")
def _processes_use_this_package() -> Iterator[None]:
    """What a test starts is the package as it stands, and the tools beside this Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(SOURCE), prepend=os.pathsep)
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield


@pytest.fixture(autouse=True)
def _mlflow_leaves_no_address_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mlflow.set_tracking_uri` writes into the environment, which later tests would inherit."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # so that the end of the test restores it
    monkeypatch.delenv("MLFLOW_TRACKING_URI")


@pytest.fixture(params=["pandas", "polars"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def pa(engine: str) -> ModuleType:
    """Pandera for the engine."""
    return pandera.pandas if engine == "pandas" else pandera.polars


@pytest.fixture
def trip(engine: str) -> Contract:
    return PandasTrip if engine == "pandas" else PolarsTrip


@pytest.fixture
def rows() -> list[Row]:
    """Rows that the contract accepts."""
    return [dict(row) for row in ROWS]


@pytest.fixture
def project(tmp_path: Path, engine: str) -> Project:
    """A project with contracts, committed."""
    return trip_project(tmp_path / "project", engine)


@pytest.fixture
def write(project: Project) -> Write:
    """Writes a source, and code that reads it."""
    return writer(project)


@pytest.fixture(scope="session")
def kept_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `kept` is a copy of."""
    folder = tmp_path_factory.mktemp("kept") / "project"
    with pytest.MonkeyPatch.context() as patch:
        on_nobodys_machine(patch)
        kept_project(folder)
    return folder


@pytest.fixture
def kept(kept_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that keeps every practice, wherever the tests run."""
    on_nobodys_machine(monkeypatch)
    return find_project(shutil.copytree(kept_once, tmp_path / "project"))


def on_nobodys_machine(patch: pytest.MonkeyPatch) -> None:
    """Take away the variables that make a difference to practices."""
    for name in (
        *("CI", "HANDOFF_ALIAS", "HANDOFF_LOCAL", "HANDOFF_MONITOR", "MLFLOW_TRACKING_URI"),
        "PYTEST_ADDOPTS",
    ):
        patch.delenv(name, raising=False)


@pytest.fixture
def change(project: Project) -> Change:
    """Changes the project's contracts: the first place of a text becomes another."""

    def changed(old: str, new: str) -> None:
        file = project.source / "contracts" / "__init__.py"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return changed


@pytest.fixture(scope="session")
def api() -> ModuleType:
    return api_of(Price)


@pytest.fixture
def client(api: ModuleType) -> Iterator[TestClient]:
    """A service whose every trip costs 7.5."""
    app = app_of(api, Price, fixed(7.5))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project at level 2, which a change begins with."""
    return begun_project(tmp_path_factory.mktemp("changes") / "project")


@pytest.fixture
def root(begun: Project) -> Path:
    """Its folder, as it was committed."""
    git(begun.root, "reset", "--quiet", "--hard")
    git(begun.root, "clean", "--quiet", "--force", "-d")
    return begun.root


@pytest.fixture
def edit(root: Path) -> Edit:
    """Writes one of its files."""

    def written(path: str, text: str) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    return written


@pytest.fixture
def lacks(root: Path) -> Lacks:
    """What its change lacks."""
    return lambda: check_done(find_project(root), "HEAD")
