"""Checks read a version's facts from MLflow, and from a cache that no write outlives."""

import os
import shutil
import time
from pathlib import Path

import mlflow
import pytest

from baton_handoff.config.project import Project
from baton_handoff.registry import version_facts
from baton_handoff.registry.local_files import follow_project
from baton_handoff.registry.model_registry import connect
from baton_handoff.registry.version_facts import VersionFacts, find_version

# MLflow has not yet followed SQLAlchemy here.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

TAGS = {"handoff.commit": "c"}
METRICS = {"model.auc": 0.75, "model.f1": float("nan")}


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with two versions; the second one is the candidate."""
    root = tmp_path_factory.mktemp("registered")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        project = Project(root, "trips", "trips", "candidate")
        client = connect(project)
        client.create_registered_model("trips")
        for _ in range(2):
            with mlflow.start_run() as run:
                mlflow.log_metrics(METRICS)
            client.create_model_version("trips", root.as_uri(), run_id=run.info.run_id, tags=TAGS)
        client.set_registered_model_alias("trips", "candidate", "2")
    return root


@pytest.fixture
def project(registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("HANDOFF_LOCAL", raising=False)
    shutil.copy(registered / "mlflow.db", tmp_path)
    project = Project(tmp_path, "trips", "trips", "candidate")
    follow_project(project)  # the first use after a copy writes once
    last_write(tmp_path, seconds_ago=60)
    return project


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The versions that MLflow was asked for."""
    wanted: list[str] = []
    ask = version_facts._ask_registry

    def counted(project: Project, version: str) -> VersionFacts | None:
        wanted.append(version)
        return ask(project, version)

    monkeypatch.setattr(version_facts, "_ask_registry", counted)
    return wanted


def last_write(root: Path, seconds_ago: int) -> None:
    moment = time.time() - seconds_ago
    os.utime(root / "mlflow.db", (moment, moment))


def test_a_version_is_found_by_number_and_by_alias(project: Project) -> None:
    for wanted, number in (("1", 1), ("2", 2), ("candidate", 2)):
        facts = VersionFacts(number, TAGS, METRICS)
        for _ in ("asked", "cached"):
            assert repr(find_version(project, wanted)) == repr(facts)
    for wanted in ("3", "champion"):
        assert find_version(project, wanted) is None


def test_there_is_no_version_without_a_registry(project: Project, asked: list[str]) -> None:
    (project.root / "mlflow.db").unlink()
    assert find_version(project, "1") is None
    assert asked == []


def test_a_deleted_version_is_not_found(project: Project) -> None:
    assert find_version(project, "candidate")
    connect(project).delete_model_version("trips", "2")
    assert find_version(project, "candidate") is None
    assert find_version(project, "2") is None


def test_mlflow_is_asked_once_for_a_state_of_the_registry(
    project: Project, asked: list[str]
) -> None:
    answers = [find_version(project, wanted) for wanted in ("1", "champion", "1", "champion")]
    assert asked == ["1", "champion"]
    assert repr(answers[:2]) == repr(answers[2:])
    connect(project).set_registered_model_alias("trips", "champion", "1")
    found = find_version(project, "champion")
    assert found
    assert found.version == 1
    assert asked == ["1", "champion", "champion"]


def test_an_answer_is_not_kept_right_after_a_write(project: Project, asked: list[str]) -> None:
    """The next write may leave the same time stamp and size."""
    last_write(project.root, seconds_ago=0)
    for _ in range(2):
        assert find_version(project, "1")
    assert asked == ["1", "1"]


def test_an_answer_is_not_kept_if_the_registry_changed_meanwhile(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(project: Project, _: str) -> None:
        last_write(project.root, seconds_ago=30)

    monkeypatch.setattr(version_facts, "_ask_registry", changing)
    assert find_version(project, "1") is None
    monkeypatch.undo()
    assert find_version(project, "1")


def test_the_log_of_a_database_counts_as_a_part_of_it(project: Project, asked: list[str]) -> None:
    find_version(project, "1")
    (project.root / "mlflow.db-wal").write_bytes(b"")
    find_version(project, "1")
    assert asked == ["1", "1"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model": "trips", "state": [], "versions": 1}'])
def test_a_corrupt_cache_is_ignored_and_replaced(
    project: Project, asked: list[str], text: str
) -> None:
    cache = project.root / ".handoff/versions.json"
    find_version(project, "1")
    cache.write_text(text, encoding="utf-8")
    for _ in range(2):
        assert find_version(project, "1")
    assert asked == ["1", "1"]


def test_a_folder_that_cannot_be_written_keeps_nothing(project: Project, asked: list[str]) -> None:
    (project.root / ".handoff").touch()
    for _ in range(2):
        assert find_version(project, "1")
    assert asked == ["1", "1"]
