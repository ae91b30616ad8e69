"""Watching the registry: another version behind the alias is served without a restart."""

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


def fetching(project: Project) -> "subprocess.Popen[str]":
    """Begin to fetch the version behind the project's alias.

    In a process that ends: the registry's libraries would weigh on the service for ever.
    """
    command = [sys.executable, "-m", "baton_handoff", "model", "fetch", project.alias]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=project.root, stdout=pipe, stderr=pipe, text=True)


def brought(process: "subprocess.Popen[str]") -> Path:
    """Wait until a version is here; its folder.

    Raises:
        HandoffError: It can't be had; the sentence says why.
    """
    said, complaint = process.communicate()
    if process.returncode:
        lines = complaint.strip().splitlines() or ["The registry can't be read."]
        raise HandoffError(lines[-1])
    *noticed, folder = said.splitlines()
    for line in noticed:
        _log.warning("%s", line)
    return Path(folder)


class AliasWatcher:
    """Asks the registry now and then, and exchanges the version when it says so."""

    def __init__(self, project: Project, serving: PredictionService, code: str) -> None:
        self._project = project
        self._serving = serving
        self._code = code
        self._seen: str | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to watch, unless it is a certain version that is served."""
        if not self._project.alias.isdecimal():
            self._seen = registry_state(self._project)
            self._thread.start()

    def stop(self) -> None:
        """AliasWatcher no longer."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(self._serving.settings.refresh_seconds):
            try:
                state = registry_state(self._project)
                if state is None or state != self._seen:
                    self.look()
                    self._seen = state
                    self._say("")
            except (HandoffError, OSError) as error:
                self._say(f"{error} Version {self._serving.loaded.version} goes on answering.")

    def look(self) -> None:
        """Bring the version behind the alias, and serve it if it is another.

        Raises:
            HandoffError: It can't be had or can't be served; the former one goes on answering.
        """
        loaded = open_version(brought(fetching(self._project)), self._code)
        if loaded.version != self._serving.loaded.version:
            self._serving.swap(loaded)
            _log.info("version %s answers now", loaded.version)

    def _say(self, refused: str) -> None:
        """Once for each reason, not at every look."""
        if refused and refused != self._serving.refused:
            _log.warning("%s", refused)
        self._serving.refused = refused


def registry_state(project: Project) -> str | None:
    """Something that changes when the alias may have moved, cheap to ask for.

    The embedded registry's file says when it was written; a tracking server says over HTTP which
    version the alias points to. None where only MLflow itself could tell.

    Raises:
        OSError: The server can't be reached.
    """
    if project.has_local_registry:
        written = (project.root / "mlflow.db").stat()
        return f"{written.st_mtime_ns} {written.st_size}"
    uri = os.environ["MLFLOW_TRACKING_URI"]
    if not uri.startswith(("http://", "https://")):
        return None
    asked = urllib.parse.urlencode({"name": project.model, "alias": project.alias})
    request = urllib.request.Request(  # noqa: S310 (the address is the team's own)
        f"{uri.rstrip('/')}/api/2.0/mlflow/registered-models/alias?{asked}", headers=_credentials()
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return str(json.load(answer)["model_version"]["version"])


def _credentials() -> dict[str, str]:
    """What MLflow's own clients would send."""
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    if user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        pair = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}
