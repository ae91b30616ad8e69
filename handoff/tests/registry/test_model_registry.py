"""A registry that can't be used is reported in one sentence, by the kind of its error."""

import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import mlflow
import pytest
from sqlalchemy import create_engine, text

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.model_registry import get_version, registry_errors
from baton_handoff.registry.version_facts import find_version
from full_disk import room_for


def test_a_full_disk_is_told_from_a_server_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: address)
    engine = create_engine(address)
    with (
        engine.connect() as connection,
        pytest.raises(HandoffError) as raised,
        registry_errors(),
        room_for(0),
    ):
        connection.execute(text("create table models (name text)"))
    engine.dispose()
    assert str(raised.value).startswith(
        f"The registry at {address} can't be used (disk I/O error): make room on its disk, "
    )


@pytest.mark.parametrize("mode", ["ro", "missing"])
def test_a_database_that_can_not_be_written_is_told_from_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Also if its folder is not there."""
    file = tmp_path / ("mlflow.db" if mode == "ro" else "absent/mlflow.db")
    if mode == "ro":
        sqlite3.connect(file).execute("create table t (a)").connection.close()
    engine = create_engine(f"sqlite:///file:{file}?mode=ro&uri=true")
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "sqlite:///mlflow.db")
    with pytest.raises(HandoffError) as raised, registry_errors(), engine.connect() as connection:
        connection.execute(text("create table models (name text)"))
    engine.dispose()
    assert "): let this user write the file and its folder, then run this again." in str(
        raised.value
    )


# MLflow itself uses what SQLAlchemy has deprecated.
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_a_damaged_database_is_reported_in_one_sentence(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    (project.root / "mlflow.db").write_bytes(b"no database" * 100)
    with pytest.raises(HandoffError, match=r"is damaged \(file is not a database\): restore"):
        find_version(project, "candidate")


class OtherProgram(BaseHTTPRequestHandler):
    """Answers every request with the status in its path, and a page."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.split("/")[1]))
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a program that is not MLflow."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    former = mlflow.get_tracking_uri()
    with HTTPServer(("127.0.0.1", 0), OtherProgram) as program:
        thread = threading.Thread(target=program.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{program.server_port}"
        program.shutdown()
        thread.join()
    mlflow.set_tracking_uri(former)


@pytest.mark.parametrize("status", [200, 404, 418, 502, 503])
def test_the_page_of_another_program_is_no_answer(
    server: str, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    assert_no_answer(f"{server}/{status}", monkeypatch)


def test_a_closed_port_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert_no_answer("http://127.0.0.1:1", monkeypatch)


def assert_no_answer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    mlflow.set_tracking_uri(address)
    project = Project(Path.cwd(), "trips", "trips", "candidate")
    with pytest.raises(HandoffError) as raised, registry_errors():
        get_version(project, "candidate")
    assert str(raised.value).startswith(f"The registry at {address} does not answer: ")
