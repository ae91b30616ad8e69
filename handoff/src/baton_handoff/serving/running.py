"""The service as a process, for as long as a block of code needs it."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO
from urllib.request import urlopen

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.network import reach_this_machine_directly

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
    command = [sys.executable, "-m", "baton_handoff", "serve", "--host", HOST, "--port", str(port)]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as log,
        tempfile.TemporaryDirectory() as predictions,
    ):
        own = {
            "HANDOFF_ALIAS": wanted or project.alias,
            "HANDOFF_PREDICTIONS": predictions,
            "WEB_CONCURRENCY": "1",
        }
        process = subprocess.Popen(
            command, cwd=project.root, stdout=log, stderr=log, env=os.environ | own
        )
        try:
            deadline = time.monotonic() + patience
            while not _answers(port):
                if process.poll() is not None:
                    raise HandoffError(f"The service did not start: {_last_line(log)}")
                if time.monotonic() > deadline:
                    raise HandoffError(
                        f"The service does not answer on port {port}: {_last_line(log)}"
                    )
                time.sleep(0.1)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int) -> bool:
    address = f"http://{HOST}:{port}/healthz"
    with (
        suppress(OSError, http.client.HTTPException),
        urlopen(address, timeout=5) as answer,
    ):
        return bool(answer.status == http.client.OK)
    return False


def _last_line(log: IO[str]) -> str:
    log.seek(0)
    last = (log.read().strip().splitlines() or ["its log is empty."])[-1]
    # An error before the logs are set up is plain text, not JSON.
    with suppress(ValueError, TypeError, KeyError):
        last = str(json.loads(last)["event"])
    return last
