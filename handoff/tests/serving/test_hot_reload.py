"""The service follows the registry, whatever its versions and its answers are."""

import json
import pickle
import subprocess
import sys
import threading
import urllib.error
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from baton_handoff.config.project import Project
from baton_handoff.contracts import ContractViolation, Rule, RuleKind, Violation
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry import fetch_process, loaded
from baton_handoff.registry.loaded import FetchedVersion
from baton_handoff.registry.manifest import file_hash
from baton_handoff.serving import hot_reload
from baton_handoff.serving.hot_reload import AliasWatcher, fetched_folder
from trip_service import ROW, figure, fixed, serving


def process(code: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stderr=pipe, text=True)


def prints(**result: str) -> "subprocess.Popen[str]":
    return process(f"print('a warning of a library'); print({json.dumps(result)!r})")


def test_the_folder_is_returned_and_a_warning_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert fetched_folder(prints(folder="/a/b", warning="")) == Path("/a/b")
    assert caplog.messages == []
    assert fetched_folder(prints(folder="/a/b", warning="the alias moved")) == Path("/a/b")
    assert caplog.messages == ["the alias moved"]


def test_an_error_of_the_engine_is_raised_again() -> None:
    with pytest.raises(HandoffError, match=r"^There is no version\.$"):
        fetched_folder(prints(error="There is no version."))


def test_a_crash_is_reported_with_its_last_line() -> None:
    with pytest.raises(HandoffError, match=r"can't be read: ValueError: no such thing\.$"):
        fetched_folder(process("raise ValueError('no such thing')"))


def test_the_process_reports_a_missing_project_as_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = fetch_process.fetch_result("candidate")
    assert list(result) == ["error"]
    assert str(tmp_path) in result["error"]


def test_a_fetch_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_reload, "_FETCH_SECONDS", 0.1)
    hanging = process("import time; time.sleep(600)")
    with pytest.raises(HandoffError, match="has not answered for"):
        fetched_folder(hanging)
    assert hanging.returncode


class Predicts:
    """A stored model."""

    def __init__(
        self, euros: float = 0, error: Exception | None = None, *, twice: bool = False
    ) -> None:
        self.euros, self.error, self.twice = euros, error, twice

    def predict(self, table: Any) -> Any:
        if self.error:
            raise self.error
        answer = fixed(self.euros)(table)
        return pd.concat([answer, answer]) if self.twice else answer


class Unloadable:
    """A file that ends whoever loads it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return sys.exit, (3,)


Watch = Callable[[object], None]


@pytest.fixture
def offer(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[object], None]:
    """Lets the service look at the registry: at another model, or at an error."""
    project = Project(tmp_path, "trips", "trips", "champion")
    (tmp_path / "mlflow.db").touch()
    watcher = AliasWatcher(project)
    numbers = iter(range(4, 100))

    def offered(model: object) -> None:
        def fetched(_: object) -> Path:
            if isinstance(model, BaseException):
                raise model
            folder = tmp_path / str(number)
            if folder.exists():
                return folder
            folder.mkdir()
            file = folder / "model.joblib"
            joblib.dump(model, file)
            (folder / loaded.EXAMPLE_FILE).write_text(json.dumps({"rows": [ROW]}))
            FetchedVersion("trips", number, "", "c", file_hash(file)).write(folder)
            return folder

        number = next(numbers)
        (tmp_path / "mlflow.db").write_text("x" * number)
        monkeypatch.setattr(hot_reload, "start_fetch", lambda _: None)
        monkeypatch.setattr(hot_reload, "fetched_folder", fetched)
        watcher.check(serving(client), "c")

    return offered


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Unloadable(), "can't be loaded (SystemExit)"),
        (Predicts(error=ValueError("41414")), "does not answer rows of its own evaluation"),
        (
            Predicts(
                error=ContractViolation("Price", (Violation("euros", Rule(RuleKind.NULL), (0,)),))
            ),
            "(Price.euros must not be null)",
        ),
        (pickle.UnpicklingError("x"), "can't be read (UnpicklingError)"),
        (json.JSONDecodeError("x", "<html>", 0), "can't be read (JSONDecodeError)"),
        (SystemExit(1), "can't be read (SystemExit)"),
        (MemoryError(), "can't be read (MemoryError)"),
        (urllib.error.URLError("refused"), "can't be read (URLError: refused)"),
        (HandoffError("No such alias."), "No such alias."),
    ],
    ids=[
        "can't be loaded",
        "fails on its own rows",
        "breaks a contract on its own rows",
        "can't be unpickled",
        "HTML instead of JSON",
        "exits",
        "out of memory",
        "registry unreachable",
        "no such alias",
    ],
)
def test_a_version_that_cannot_be_served_is_refused_until_there_is_another(
    client: TestClient, offer: Watch, model: object, reason: str
) -> None:
    offer(model)
    refused = client.get("/version").json()["refused"]
    assert reason in refused
    assert "41414" not in refused
    assert refused.endswith("Version 3 goes on answering.")
    assert figure(client, "handoff_model_refused") == 1
    assert client.get("/readyz").json()["version"] == 3
    offer(Predicts(8.0))
    assert client.get("/version").json()["refused"] is None
    assert figure(client, "handoff_model_refused") == 0
    assert client.post("/predict", json={"rows": [ROW]}).json()["predictions"] == [{"euros": 8.0}]


def test_a_wrong_number_of_predictions_is_refused_too(client: TestClient, offer: Watch) -> None:
    offer(Predicts(8.0, twice=True))
    refused = client.get("/version").json()["refused"]
    assert "rows of its own evaluation (2 predictions for 1 rows). Version 3" in refused


class Answers(BaseHTTPRequestHandler):
    """A tracking server, or what stands in its place."""

    content: bytes

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        """Not to the output of the tests."""


def test_a_refusal_ends_with_the_outage(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alias has not moved meanwhile, so nothing is fetched."""
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
    Answers.content = version = b'{"model_version": {"version": "3"}}'
    watcher = AliasWatcher(Project(tmp_path, "trips", "trips", "champion"))
    for content, reason in (
        (version, None),
        (b"<html>Sign in</html>", "JSONDecodeError"),
        (version, None),
        (b"[]", "TypeError"),
        (b"{}", "KeyError"),
        (version, None),
    ):
        Answers.content = content
        watcher.check(serving(client), "c")
        refused = client.get("/version").json()["refused"]
        assert (reason in refused) if reason else refused is None
    server.shutdown()
    server.server_close()
    thread.join()
    watcher.check(serving(client), "c")
    assert "URLError" in client.get("/version").json()["refused"]


def test_the_age_of_what_is_known_about_the_registry_is_measured(
    client: TestClient, offer: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("baton_handoff.serving.metrics.time.monotonic", lambda: now)
    assert figure(client, "handoff_registry_age_seconds") == 0  # no alias is followed
    offer(Predicts(8.0))
    now += 60
    offer(OSError())
    assert figure(client, "handoff_registry_age_seconds") == 60
    offer(Predicts(error=ValueError()))  # it was read, and its version is refused
    assert figure(client, "handoff_registry_age_seconds") == 0


def test_the_thread_goes_on_after_any_error(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlflow.db").touch()
    watcher = AliasWatcher(Project(tmp_path, "trips", "trips", "champion"))
    looked, often = iter(range(1000)), threading.Event()

    def fails(_: object) -> str:
        if next(looked) == 3:
            often.set()
        raise SystemExit

    monkeypatch.setattr(hot_reload, "registry_state", fails)
    serving(client).settings = serving(client).settings.model_copy(
        update={"refresh_seconds": 0.001}
    )
    watcher.start(serving(client), "c")
    assert often.wait(30)
    watcher.stop()


def test_a_move_during_the_first_fetch_is_not_missed(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watcher knows the registry as it was before, so it looks again."""
    (tmp_path / "mlflow.db").touch()
    watcher = AliasWatcher(Project(tmp_path, "trips", "trips", "champion"))
    (tmp_path / "mlflow.db").write_text("moved")
    started: list[object] = []
    monkeypatch.setattr(hot_reload, "start_fetch", started.append)
    watcher.check(serving(client), "c")
    assert len(started) == 1
