"""Hot reload: when the alias moves to another version, the service loads it without a restart."""

import base64
import json
import logging
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import FetchedVersion, open_version

if TYPE_CHECKING:
    from baton_handoff.serving.prediction import PredictionService

_log = logging.getLogger(__name__)

_FETCH_SECONDS = 600
"""The longest time for a fetch; a large model takes minutes."""


def start_fetch(project: Project) -> "subprocess.Popen[str]":
    """Start to fetch the version behind the project's alias, in a process of its own."""
    command = [sys.executable, "-m", "baton_handoff.registry.fetch_process", project.alias]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=project.root, stdout=pipe, stderr=pipe, text=True)


def fetched_folder(process: "subprocess.Popen[str]") -> Path:
    """Wait for the fetch, and return the version's folder.

    Raises:
        HandoffError: The version can't be fetched.
    """
    try:
        output, errors = process.communicate(timeout=_FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise HandoffError(
            f"The registry can't be read: it has not answered for {_FETCH_SECONDS} seconds."
        ) from None
    if process.returncode:
        last_line = (errors.strip().splitlines() or ["the process that reads it has ended"])[-1]
        raise HandoffError(f"The registry can't be read: {last_line.rstrip('.')}.")
    result = json.loads(output.splitlines()[-1])
    if error := result.get("error"):
        raise HandoffError(error)
    if result["warning"]:
        _log.warning("%s", result["warning"])
    return Path(result["folder"])


class VersionRefusedError(HandoffError):
    """The registry was read, and its version can't be served."""


class AliasWatcher:
    """Checks at intervals whether the alias has moved, and swaps the version if it has.

    Make it before the first version is fetched: a move in the meantime must not be missed.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._state = self._current_state()
        self._stopped = threading.Event()

    def start(self, service: "PredictionService", code: str) -> None:
        """Start to watch, unless the project serves a fixed version.

        Args:
            service: The service of the version that the alias points to.
            code: The hash of the code that this process has imported.
        """
        if not self._project.alias.isdecimal():
            service.metrics.registry_was_read()
            threading.Thread(
                target=self._watch, args=(service, code), name="watch", daemon=True
            ).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _watch(self, service: "PredictionService", code: str) -> None:
        while not self._stopped.wait(service.settings.refresh_seconds):
            self.check(service, code)

    def check(self, service: "PredictionService", code: str) -> None:
        """Take over the version behind the alias if it is another one and can be served."""
        refused = ""
        try:
            state = registry_state(self._project)
            if state is None or state != self._state:
                folder = fetched_folder(start_fetch(self._project))
                self.take_over(service, folder, code)
                self._state = state
            service.metrics.registry_was_read()
        except VersionRefusedError as error:
            refused = str(error)
            service.metrics.registry_was_read()
        except HandoffError as error:
            refused = str(error)
        # Also SystemExit: if this thread ended, the service would not follow the alias again.
        except BaseException as error:  # noqa: BLE001
            reason = f": {error.reason}" if isinstance(error, urllib.error.URLError) else ""
            refused = f"The registry can't be read ({type(error).__name__}{reason})."
        if refused:
            refused = f"{refused} Version {service.loaded.version} goes on answering."
            if refused != service.refused:  # log each reason once, not every time
                _log.warning("%s", refused)
        elif service.refused:
            _log.info("The version behind %s can be served again.", self._project.alias)
        service.refused = refused

    def take_over(self, service: "PredictionService", folder: Path, code: str) -> None:
        """Serve a fetched version; see `take_over`."""
        take_over(service, folder, code)

    def _current_state(self) -> str | None:
        try:
            return registry_state(self._project)
        except (OSError, ValueError, LookupError, TypeError):
            return None


def take_over(service: "PredictionService", folder: Path, code: str, at: float = 0.0) -> None:
    """Serve a fetched version, if it answers rows of its own evaluation.

    Args:
        service: The service.
        folder: The folder of the version.
        code: The hash of the code that this process has imported.
        at: When to answer with it at the earliest, as `time.monotonic` counts.

    Raises:
        VersionRefusedError: It can't be loaded, or it does not answer them.
    """
    try:
        fetched = FetchedVersion.read(folder)
        if fetched.version == service.loaded.version:
            return
        loaded = service.prove(open_version(folder, code))
    except HandoffError as error:
        raise VersionRefusedError(str(error)) from error
    except BaseException as error:
        # The message of an error may quote a row.
        raise VersionRefusedError(
            f"Version {fetched.version} can't be loaded ({type(error).__name__})."
        ) from error
    time.sleep(max(0.0, at - time.monotonic()))
    service.swap(loaded)
    _log.info("version %s answers now", loaded.version)


def registry_state(project: Project) -> str | None:
    """A text that changes when the alias may have moved; cheap to get.

    The embedded registry's file tells when it was written; a tracking server tells over HTTP which
    version the alias points to. None if only MLflow itself could tell.

    Raises:
        OSError: The server can't be reached, or has no such alias.
        ValueError: What answers is no tracking server.
    """
    if project.has_local_registry:
        status = (project.root / "mlflow.db").stat()
        return f"{status.st_mtime_ns} {status.st_size}"
    uri = os.environ["MLFLOW_TRACKING_URI"]
    if not uri.startswith(("http://", "https://")):
        return None
    query = urllib.parse.urlencode({"name": project.model, "alias": project.alias})
    request = urllib.request.Request(  # noqa: S310 (the team configures the address)
        f"{uri.rstrip('/')}/api/2.0/mlflow/registered-models/alias?{query}", headers=_credentials()
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return str(json.load(answer)["model_version"]["version"])


def _credentials() -> dict[str, str]:
    """The headers that MLflow's own clients would send."""
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    if user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        pair = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}
