"""Several processes that answer on one port, and share the version, the metrics and the log.

Uvicorn starts the processes, and starts one anew if it has ended. The first process only watches
the registry: it writes what the others serve into a file of a folder, in which their metrics are,
too. Each process appends to files of its own in the prediction log.
"""

import json
import logging
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from baton_handoff.config.project import Project
from baton_handoff.config.settings import ServiceSettings
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.core.files import write_atomically
from baton_handoff.registry.loaded import FetchedVersion
from baton_handoff.serving.hot_reload import (
    AliasWatcher,
    VersionRefusedError,
    fetched_folder,
    start_fetch,
)
from baton_handoff.serving.uvicorn_options import log_start, uvicorn_config

_log = logging.getLogger(__name__)

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the folder of the metrics, as Prometheus's client calls it."""

_STATE = "version.json"
_SWAP_SECONDS = 3.0
"""The time in which each process loads a new version, before all of them answer with it."""

_PING_SECONDS = 60
"""A process that does not answer for so long is ended, and started anew."""


def worker_count(asked: str | None) -> int:
    """The number of processes that an option or the variable WEB_CONCURRENCY asks for.

    Raises:
        UsageError: It is neither a number from 1 on nor `cores`.
    """
    source, text = ("--workers", asked)
    if text is None:
        source, text = "WEB_CONCURRENCY", os.environ.get("WEB_CONCURRENCY") or "1"
    if text == "cores":
        import joblib  # noqa: PLC0415 - it knows the limit of a container, but takes a while

        return int(joblib.cpu_count())
    if not (text.isdecimal() and int(text)):
        raise UsageError(f"{source} must be a number from 1 on, or `cores`, not {text!r}.")
    return int(text)


@dataclass(frozen=True)
class Served:
    """What all processes serve.

    Attributes:
        folder: The folder of the version.
        at: When to answer with it, as `time.monotonic` counts.
        read: When the registry was read, likewise.
        refused: Why the version behind the alias is not served, empty if it is.
    """

    folder: str
    at: float = 0.0
    read: float = 0.0
    refused: str = ""


def served_version() -> Served:
    """What this process has to serve.

    Raises:
        OSError: The first process has ended.
    """
    return Served(**json.loads((Path(os.environ[_FOLDER]) / _STATE).read_text(encoding="utf-8")))


class _Published:
    """In the first process, in the place of the service that the watcher changes."""

    def __init__(self, folder: Path, settings: ServiceSettings) -> None:
        self.settings = settings
        self.metrics = self
        self.loaded = FetchedVersion.read(folder)
        self._served = Served(str(folder))
        self.registry_was_read()

    @property
    def refused(self) -> str:
        return self._served.refused

    @refused.setter
    def refused(self, reason: str) -> None:
        if reason != self.refused:
            self._write(replace(self._served, refused=reason))

    def registry_was_read(self) -> None:
        self._write(replace(self._served, read=time.monotonic()))

    def take_over(self, folder: Path) -> None:
        try:
            self.loaded = FetchedVersion.read(folder)
        except HandoffError as error:
            raise VersionRefusedError(str(error)) from error
        if str(folder) != self._served.folder:
            at = time.monotonic() + _SWAP_SECONDS
            self._write(replace(self._served, folder=str(folder), at=at))

    def _write(self, served: Served) -> None:
        self._served = served
        write_atomically(Path(os.environ[_FOLDER]) / _STATE, json.dumps(asdict(served)))


class _PublishingWatcher(AliasWatcher):
    """Tells the other processes of a version, which load it."""

    def take_over(self, service: _Published, folder: Path, code: str) -> None:  # type: ignore[override]
        del code
        service.take_over(folder)


class _Workers(Multiprocess):
    """Uvicorn's processes, which tell when all of them answer."""

    def __init__(
        self, config: uvicorn.Config, bound: list[socket.socket], ready: Callable[[], None]
    ) -> None:
        super().__init__(config, bound)
        self._ready = ready

    def init_processes(self) -> None:
        """Start the processes, and wait until they answer, one has failed, or a signal arrives."""
        super().init_processes()
        waiting = list(self.processes)
        while waiting and not self.signal_queue:
            if any(process.exitcode is not None for process in self.processes):
                return
            waiting = [process for process in waiting if not process.is_ready(timeout=0.2)]
        if not waiting:
            self._ready()

    def keep_subprocess_alive(self) -> None:
        """Start a process anew that has ended, and forget what was measured in it at the moment."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for process in set(before) - set(self.processes):
            _log.error("a process of the service has ended (%s): started anew", process.exitcode)
            mark_process_dead(process.pid)  # type: ignore[no-untyped-call]

    @property
    def failed(self) -> bool:
        """Whether a process could not start."""
        return any(process.exitcode == STARTUP_FAILURE for process in self.processes)


def run_workers(
    project: Project, bound: list[socket.socket], count: int, sentences: Sequence[str]
) -> None:
    """Answer with several processes until a signal ends them.

    This one imports neither tables nor the model, which would take as much memory as another one.

    Args:
        project: The project.
        bound: The sockets of the service's addresses.
        count: The number of processes.
        sentences: What to log when all of them answer.

    Raises:
        HandoffError: There is no version to serve, or a process could not start.
    """
    with _shared_folder():
        watcher = _PublishingWatcher(project)
        folder = fetched_folder(start_fetch(project))
        published = _Published(folder, project.service)
        config = uvicorn_config(
            "baton_handoff.serving.process:worker",
            factory=True,
            workers=count,
            timeout_worker_healthcheck=_PING_SECONDS,
        )
        ready = partial(log_start, sentences, published.loaded.version)
        workers = _Workers(config, bound, ready)
        watcher.start(published, "")  # type: ignore[arg-type]
        try:
            workers.run()
        finally:
            watcher.stop()
        if workers.failed:
            raise HandoffError("The service did not start: its log above has the reason.")


@contextmanager
def _shared_folder() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="handoff-") as folder:
        os.environ[_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[_FOLDER]
