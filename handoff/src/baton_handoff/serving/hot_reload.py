"""Hot reload: when the alias moves to another version, the service loads it without a restart."""

import base64
import json
import logging
import os
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import open_version
from baton_handoff.serving.prediction import PredictionService

_log = logging.getLogger(__name__)


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
    output, errors = process.communicate()
    if process.returncode:
        last_line = (errors.strip().splitlines() or ["no message"])[-1]
        raise HandoffError(f"The registry can't be read: {last_line}")
    result = json.loads(output.splitlines()[-1])
    if error := result.get("error"):
        raise HandoffError(error)
    if result["warning"]:
        _log.warning("%s", result["warning"])
    return Path(result["folder"])


class AliasWatcher:
    """Checks at intervals whether the alias has moved, and swaps the version if it has."""

    def __init__(self, project: Project, service: PredictionService, code: str) -> None:
        self._project = project
        self._service = service
        self._code = code
        self._state: str | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def start(self) -> None:
        """Start to watch, unless the project serves a fixed version."""
        if not self._project.alias.isdecimal():
            self._state = _registry_state(self._project)
            self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(self._service.settings.refresh_seconds):
            try:
                state = _registry_state(self._project)
                if state is None or state != self._state:
                    folder = fetched_folder(start_fetch(self._project))
                    loaded = open_version(folder, self._code)
                    if loaded.version != self._service.loaded.version:
                        self._service.swap(loaded)
                        _log.info("version %s answers now", loaded.version)
                    self._state = state
                    self._service.refused = ""
            except (HandoffError, OSError) as error:
                refused = f"{error} Version {self._service.loaded.version} goes on answering."
                if refused != self._service.refused:  # log each reason once, not every time
                    _log.warning("%s", refused)
                self._service.refused = refused


def _registry_state(project: Project) -> str | None:
    """A text that changes when the alias may have moved; cheap to get.

    The embedded registry's file tells when it was written; a tracking server tells over HTTP which
    version the alias points to. None if only MLflow itself could tell.

    Raises:
        OSError: The server can't be reached.
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
