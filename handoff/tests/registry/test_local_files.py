"""The local registry keeps its files inside the project, wherever the project is."""

import shutil
from pathlib import Path

import mlflow
import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.local_files import require_usable_path
from baton_handoff.registry.model_registry import connect, download_artifact

# MLflow itself uses what SQLAlchemy has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

ODD = ["moved", "größe", "it's #1 [x] & y"]


def project_in(folder: Path) -> Project:
    return Project(folder, "trips", "trips", "candidate")


def registered(project: Project, text: str) -> None:
    client = connect(project)
    with mlflow.start_run() as run:
        mlflow.log_text(text, "card/card.md")
    if not client.search_registered_models(f"name = '{project.model}'"):
        client.create_registered_model(project.model)
    client.create_model_version(project.model, run.info.artifact_uri, run_id=run.info.run_id)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one version; its registry is copied, never changed."""
    folder = tmp_path_factory.mktemp("made") / "project"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        registered(project_in(folder), "first")
    return folder


@pytest.mark.parametrize("name", ODD)
def test_a_moved_or_copied_project_uses_its_own_files(
    made: Path, tmp_path: Path, name: str
) -> None:
    """The original is still there, as after `cp`: it must get nothing of the copy."""
    project = project_in(shutil.copytree(made, tmp_path / name))
    before = sorted(made.rglob("*"))
    (project.root / "mlartifacts").joinpath("own").write_text("")
    client = connect(project)
    version = client.get_model_version(project.model, "1")
    card = next((project.root / "mlartifacts").rglob("card.md"))
    card.write_text("of the copy")
    found = download_artifact(version, "card/card.md", tmp_path)
    assert found is not None
    assert found.read_text() == "of the copy"
    registered(project, "second")
    assert len([*(project.root / "mlartifacts").rglob("card.md")]) == 2
    assert sorted(made.rglob("*")) == before


def test_a_place_that_people_have_configured_stays(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(made, tmp_path / "copy")
    client = connect(project_in(folder))
    client.create_experiment("shared", artifact_location="s3://bucket/mlartifacts")
    client.create_experiment("other", artifact_location=(tmp_path / "disk").as_uri())
    monkeypatch.delenv("MLFLOW_TRACKING_URI")  # MLflow sets it for the process
    moved = connect(project_in(folder.rename(tmp_path / "moved")))
    places = {one.name: one.artifact_location for one in moved.search_experiments()}
    assert places["shared"] == "s3://bucket/mlartifacts"
    assert places["other"] == (tmp_path / "disk").as_uri()
    assert places["trips"] == (tmp_path / "moved/mlartifacts").as_uri()


@pytest.mark.parametrize("name", ["100%", "a%20b", "what?"])
def test_a_path_that_mlflow_can_not_use_is_one_sentence(tmp_path: Path, name: str) -> None:
    for ask in (require_usable_path, connect):
        with pytest.raises(HandoffError, match="which MLflow can't use in a path: rename"):
            ask(project_in(tmp_path / name))
