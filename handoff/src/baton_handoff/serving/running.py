"""The service as a process, for as long as a block of code needs it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any

import baton_handoff
from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.isolation import start_isolated
from baton_handoff.core.network import reach_this_machine_directly
from baton_handoff.registry.loaded import FETCHED
from baton_handoff.serving.access import INTERNAL_PORT, TOKEN, TOKEN_FILE

HOST = "127.0.0.1"
PATIENCE = 120.0
"""Seconds to wait for the first answer; a cold start imports for a while."""


@contextmanager
def running(project: Project, wanted: str = "", patience: float = PATIENCE) -> Iterator[str]:
    """Run `handoff serve` on a free port of this machine, and end it with the block.

    Its requests are not written to the project's prediction log.

    Args:
        project: The project whose registered model is served.
        wanted: The version's number or alias; by default the alias that the project serves.
        patience: Seconds to wait for the first answer.

    Yields:
        The address, `http://127.0.0.1:…`.

    Raises:
        HandoffError: The service ended, or did not answer in time.
    """
    reach_this_machine_directly()
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    command = ["baton_handoff", "serve", "--host", HOST, "--port", str(port)]
    if wanted in ("", project.alias) and (fetched := os.environ.get(FETCHED)):
        command = ["baton_handoff.serving.trial_process", fetched, str(port)]
    with tempfile.TemporaryDirectory() as predictions, _log() as log:
        own = {
            "HANDOFF_ALIAS": wanted or project.alias,
            "HANDOFF_PREDICTIONS": predictions,
            "WEB_CONCURRENCY": "1",
        }
        if project.service.internal_port:  # another service may use it
            own[INTERNAL_PORT] = "0"
        env = {name: value for name, value in os.environ.items() if name not in (TOKEN, TOKEN_FILE)}
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=project.root,
            stdout=log,
            stderr=log,
            env=env | own,
            text=True,
        )
        with _until_end(process, log, HTTPConnection(HOST, port, timeout=5), patience):
            yield f"http://{HOST}:{port}"


@contextmanager
def running_isolated(
    project: Project, version: Path, patience: float = PATIENCE
) -> Iterator[HTTPConnection]:
    """Serve a version of which nothing is trusted, with the code of the project.

    Args:
        project: The project whose code serves it.
        version: The version's folder; the service does not ask the registry.
        patience: Seconds to wait for the first answer.

    Yields:
        A connection to it. The service has no network but its own, so it is a Unix socket.

    Raises:
        HandoffError: The service ended, or did not answer in time.
    """
    with tempfile.TemporaryDirectory() as folder, _log() as log:
        address = Path(folder) / "service"
        connection = HTTPConnection(HOST, timeout=5)
        if hasattr(socket, "AF_UNIX"):
            connection = _UnixConnection(str(address))
        else:  # Windows
            with socket.socket() as free:
                free.bind((HOST, 0))
                connection.port = free.getsockname()[1]
            address = Path(str(connection.port))
        process = start_with_version(
            [sys.executable, "-m", "baton_handoff.serving.trial_process", version, address],
            project,
            [version],
            Path(folder),
            stdout=log,
            stderr=log,
        )
        with _until_end(process, log, connection, patience):
            yield connection


def start_with_version(
    command: Sequence[str | Path],
    project: Project,
    visible: Sequence[Path],
    scratch: Path,
    variables: Mapping[str, str] | None = None,
    **options: Any,
) -> "subprocess.Popen[str]":
    """Start a program that loads a version of which nothing is trusted with the project's code.

    Args:
        command: The program and its arguments.
        project: The project.
        visible: The version's folder, and what else it may read beside code and settings.
        scratch: The folder that it may write.
        variables: More variables for it.
        options: Options of `subprocess.Popen`.
    """
    engine = Path(baton_handoff.__file__).parent
    used = ("handoff.toml", ".copier-answers.yml", "src")
    own = {
        "PYTHONPATH": os.pathsep.join([str(engine.parent), str(project.root / "src")]),
        "HANDOFF_PREDICTIONS": str(scratch),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),  # as `serve` sets it
    }
    return start_isolated(
        command,
        project.root,
        visible=[engine, *visible, *(project.root / name for name in used)],
        writable=[scratch],
        variables=own | dict(variables or {}),
        **options,
    )


class _UnixConnection(HTTPConnection):
    """A connection to a socket in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__(HOST, timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@contextmanager
def _until_end(
    process: "subprocess.Popen[str]",
    log: IO[str],
    connection: HTTPConnection,
    patience: float,
) -> Iterator[None]:
    """Wait until a service answers, and end it with the block."""
    try:
        deadline = time.monotonic() + patience
        while not _answers(connection):
            if process.poll() is not None:
                raise HandoffError(f"The service did not start: {_last_line(log)}")
            if time.monotonic() > deadline:
                raise HandoffError(f"The service does not answer: {_last_line(log)}")
            time.sleep(0.1)
        yield
    finally:
        connection.close()
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(connection: HTTPConnection) -> bool:
    try:
        connection.request("GET", "/healthz")
        with connection.getresponse() as answer:
            return answer.status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _log() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8")


def _last_line(log: IO[str]) -> str:
    log.seek(0)
    last = (log.read().strip().splitlines() or ["its log is empty."])[-1]
    # An error before the logs are set up is plain text, not JSON.
    with suppress(ValueError, TypeError, KeyError):
        last = str(json.loads(last)["event"])
    return last
