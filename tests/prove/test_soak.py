"""Nothing is lost: 20,000 requests while versions change, the registry fails and clients are slow.

Two processes answer, on two ports and with a token. They follow a tracking server behind a proxy,
which can fail: it closes each connection, answers with a page of HTML, or does not answer.
"""

import http.client
import itertools
import json
import os
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.baton import Workshop
from tests.project import Project, free_port, own_copy, send_request, service, wait_for

REQUESTS, CLIENTS, SLOW = 20_000, 6, 20
OUTAGES = ("closes", "page", "hangs")
HOST, MODEL = "127.0.0.1", "flight-delays"
JSON = {"Content-Type": "application/json"}
TOKEN = {"Authorization": "Bearer new"}

pytestmark = pytest.mark.timeout(900)


class Registry:
    """A tracking server, and a proxy before it that can fail.

    Attributes:
        outage: How the proxy fails, empty if it does not.
        address: The address of the proxy.
    """

    def __init__(self, port: int) -> None:
        self.outage = ""
        self._server = f"http://{HOST}:{port}"
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def forward(self) -> None:
                while registry.outage == "hangs":
                    time.sleep(0.1)
                if registry.outage == "closes":
                    return
                status, content = 502, b"<html>Bad Gateway</html>"
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if not registry.outage:
                    server = http.client.HTTPConnection(HOST, port)
                    server.request(self.command, self.path, body, dict(self.headers))
                    answer = server.getresponse()
                    status, content = answer.status, answer.read()
                    server.close()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.proxy = ThreadingHTTPServer((HOST, 0), Handler)
        self.proxy.handle_error = lambda *_: None  # type: ignore[method-assign] # a client has left
        self.address = f"http://{HOST}:{self.proxy.server_port}"

    def call(self, path: str, **content: Any) -> Any:
        """Call the API of the server, without the proxy: with content by POST, or by GET."""
        url, body = f"{self._server}/{path}", json.dumps(content).encode() if content else None
        request = urllib.request.Request(url, body, JSON)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read() or b"{}")

    def is_up(self) -> bool:
        """Whether the server answers."""
        try:
            return bool(self.call("api/2.0/mlflow/experiments/get-by-name?experiment_name=Default"))
        except OSError:
            return False

    def register_again(self) -> None:
        """Make version 2 of what version 1 is."""
        query = urllib.parse.urlencode({"name": MODEL, "version": 1})
        known = self.call(f"api/2.0/mlflow/model-versions/get?{query}")["model_version"]
        same = {name: known[name] for name in ("name", "source", "run_id", "tags")}
        model = known["source"].removeprefix("models:/")
        self.call("api/2.0/mlflow/model-versions/create", **same, model_id=model)

    def move_alias(self, version: int) -> None:
        """Let the service follow another version."""
        moved = {"name": MODEL, "alias": "candidate", "version": str(version)}
        self.call("api/2.0/mlflow/registered-models/alias", **moved)


@pytest.fixture(scope="module")
def project(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Return a project whose service looks at the registry all the time."""
    project = own_copy(workshop, environment, tmp_path_factory.mktemp("soak"))
    settings = project.folder / "handoff.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[service]", "[service]\nrefresh_seconds = 0.2"), "utf-8")
    return project


@pytest.fixture(scope="module")
def registry(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Yield a tracking server with two versions of the project's model."""
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    command = ["mlflow", "server", f"--host={HOST}", f"--port={port}", "--workers=1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    env = os.environ | project.env | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    registry = Registry(port)
    threading.Thread(target=registry.proxy.serve_forever, daemon=True).start()
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, env=env, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(registry.is_up)
            project.env["MLFLOW_TRACKING_URI"] = f"http://{HOST}:{port}"
            project("handoff", "model", "register")
            registry.register_again()
            project.env["MLFLOW_TRACKING_URI"] = registry.address
            yield registry
        finally:
            registry.outage = ""
            registry.proxy.shutdown()
            registry.proxy.server_close()
            process.terminate()


@dataclass
class Load:
    """Clients that ask until they are stopped, and what they were answered.

    Attributes:
        port: The port of the service.
        rows: The rows to ask for, and the right prediction of each.
        answers: Status, version and whether the predictions are right, by request.
        lost: The errors of requests that got no answer.
        given_up: The requests that a slow client did not finish.
        stopped: Set to stop the clients.
    """

    port: int
    rows: list[tuple[dict[str, Any], Any]]
    answers: dict[str, tuple[int, int | None, bool]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def body(self, number: int) -> tuple[bytes, list[Any]]:
        """One to three rows, and the right predictions; no row is valid in each 50th request."""
        chosen = [self.rows[(number + n) % len(self.rows)] for n in range(1 + number % 3)]
        rows = [row | ({"carrier": "??"} if number % 50 == 7 else {}) for row, _ in chosen]
        return json.dumps({"rows": rows}).encode(), [right for _, right in chosen]

    def record(self, request: str, answer: http.client.HTTPResponse, right: list[Any]) -> None:
        """Record one answer."""
        content = json.loads(answer.read())
        is_right = content.get("predictions") == right
        self.answers[request] = (answer.status, content.get("version"), is_right)

    def ask(self, client: int) -> None:
        """Send one request after another on one connection."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        for number in itertools.count():
            if self.stopped.is_set():
                break
            request, (body, right) = f"{client}-{number}", self.body(number)
            try:
                headers = JSON | TOKEN | {"X-Request-ID": request}
                connection.request("POST", "/predict", body, headers)
                self.record(request, connection.getresponse(), right)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.lost.append(f"{request}: {error!r}")
                connection.close()
        connection.close()

    def ask_slowly(self) -> None:
        """Send many requests at once in small pieces; every fourth is not finished."""
        for number in itertools.count():
            if self.stopped.is_set():
                break
            sent = []
            for client in range(SLOW):
                body, right = self.body(SLOW * number + client)
                request = f"slow-{number}-{client}"
                head = f"POST /predict HTTP/1.1\r\nHost: {HOST}\r\nX-Request-ID: {request}\r\n"
                headers = JSON | TOKEN | {"Content-Length": str(len(body))}
                head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                data = f"{head}\r\n".encode() + body
                connection = socket.create_connection((HOST, self.port), timeout=60)
                sent.append((request, connection, data, right))
            for place in range(10):
                for client, (_, connection, data, _) in enumerate(sent):
                    size = len(data) // 10 + 1
                    if place < 9 or client % 4:
                        connection.sendall(data[place * size : (place + 1) * size])
                time.sleep(0.2)
            for client, (request, connection, _, right) in enumerate(sent):
                if client % 4 == 0:
                    self.given_up.append(request)
                else:
                    answer = http.client.HTTPResponse(connection)
                    try:
                        answer.begin()
                        self.record(request, answer, right)
                    except (OSError, http.client.HTTPException, ValueError) as error:
                        self.lost.append(f"{request}: {error!r}")
                connection.close()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run all clients, until the block has ended and enough was asked."""
        threads = [threading.Thread(target=self.ask_slowly)]
        threads += [threading.Thread(target=self.ask, args=(n,)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
            wait_for(lambda: len(self.answers) >= REQUESTS or self.lost)
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()


def rows_with_answers(project: Project, address: str) -> list[tuple[dict[str, Any], Any]]:
    """Return different rows, and what the service predicts for each before anything happens."""
    golden = project.folder / "tests/golden/request.json"
    (row, *_) = json.loads(golden.read_text(encoding="utf-8"))["rows"]
    rows = [row | {"flight_number": 1 + n, "humidity_pct": 20.0 + n} for n in range(60)]
    content = json.loads(ask(f"{address}/predict", json.dumps({"rows": rows}).encode()))
    return list(zip(rows, content["predictions"], strict=True))


def ask(url: str, body: bytes | None = None) -> str:
    """Return the answer to a request with a token."""
    request = urllib.request.Request(url, body, JSON | TOKEN)  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return str(answer.read(), "utf-8")


def test_nothing_is_lost_while_everything_changes(
    project: Project, registry: Registry, tmp_path: Path
) -> None:
    versions = itertools.cycle((2, 1))
    log = tmp_path / "log"
    internal = f"http://{HOST}:{free_port()}"
    env = {
        "WEB_CONCURRENCY": "2",
        "HANDOFF_PREDICTIONS": str(tmp_path / "predictions"),
        "HANDOFF_INTERNAL_PORT": internal.rpartition(":")[2],
        "HANDOFF_SERVICE_TOKEN": "new old",
    }
    with log.open("w") as stderr, service(project, stderr, **env) as (address, process):
        port = urllib.parse.urlsplit(address).port
        assert port
        load = Load(port, rows_with_answers(project, address))

        def answers_with(version: int) -> None:
            """Wait until both processes do: each accepts some of the connections."""
            registry.move_alias(version)
            wait_for(lambda: {_version(address) for _ in range(20)} == {version})

        with load.running():
            for outage in OUTAGES:
                answers_with(next(versions))
                registry.outage = outage
                registry.move_alias(after := next(versions))
                wait_for(lambda: json.loads(ask(f"{internal}/version"))["refused"])
                registry.outage = ""
                answers_with(after)
        metrics = ask(f"{internal}/metrics")
        assert send_request(f"{internal}/metrics")[0] == 401
        assert send_request(f"{address}/metrics")[0] == 404
        process.terminate()
        assert process.wait(60) == 0
    assert load.lost == []
    assert len(load.answers) >= REQUESTS
    by_status = Counter(status for status, *_ in load.answers.values())
    assert set(by_status) == {200, 422}
    predicted = {
        request: version for request, (status, version, _) in load.answers.items() if status == 200
    }
    assert {version for _, version, is_right in load.answers.values() if is_right} == {1, 2}
    assert all(is_right == (status == 200) for status, _, is_right in load.answers.values())
    logged = [
        json.loads(line)
        for file in (tmp_path / "predictions").glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    # The first request, which asked for all rows, had no name.
    named = [line for line in logged if "-" in line["request"]]
    assert len(logged) == len(named) + 1
    assert Counter(line["request"] for line in named) == Counter(list(predicted))
    assert {line["request"]: line["version"] for line in named} == predicted
    assert f'handoff_requests_total{{status="200"}} {len(logged)}.0' in metrics
    assert 'handoff_errors_total{reason="failed"} 0.0' in metrics
    assert "Traceback" not in log.read_text(encoding="utf-8")


def _version(address: str) -> int:
    return int(json.loads(send_request(f"{address}/readyz")[1])["version"])
