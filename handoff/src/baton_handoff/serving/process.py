"""What each process of the service loads."""

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from baton_handoff.config.project import Project, find_project
from baton_handoff.contracts import contracts_of
from baton_handoff.contracts.fast_validation import use_fast_validation
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import import_model_code, open_version
from baton_handoff.serving.access import accepted_tokens, internal_port
from baton_handoff.serving.hot_reload import VersionRefusedError, take_over
from baton_handoff.serving.log_setup import set_up_logs
from baton_handoff.serving.prediction import PredictionService
from baton_handoff.serving.prediction_log import PredictionLog
from baton_handoff.serving.workers import Served, served_version

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2


def load_service(project: Project, folder: Callable[[], Path]) -> tuple[FastAPI, str]:
    """Load the application of a project.

    Args:
        project: The project.
        folder: Returns the folder of the version, after the imports.

    Returns:
        The application, and the hash of the code that it has imported.

    Raises:
        HandoffError: The version can't be served, or the prediction log can't be written.
    """
    code = import_model_code(project)
    create = project.room("serving.app").create
    use_fast_validation(contracts_of(project.room("contracts")).values())
    loaded = open_version(folder(), code)
    app: FastAPI = create(loaded)
    serving = app.state.serving
    serving.settings = project.service
    serving.metrics.latency_target.set(project.promotion.latency_ms / 1000)
    serving.log = _prediction_log(project)
    serving.tokens = accepted_tokens()
    serving.internal_port = internal_port(project.service)
    serving.loaded = serving.prove(loaded)
    return app, code


def _prediction_log(project: Project) -> PredictionLog | None:
    if not project.service.log_share:
        return None
    try:
        project.predictions.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HandoffError(
            f"Predictions can't be logged to {project.predictions} ({error.strerror}): set"
            " HANDOFF_PREDICTIONS to another folder, or log_share = 0 in handoff.toml."
        ) from error
    settings = project.service
    return PredictionLog(
        project.predictions, settings.log_share, settings.log_days, settings.log_bytes
    )


def worker() -> object:
    """Make the application in one of several processes; uvicorn calls it."""
    set_up_logs(sys.stderr)
    try:
        served = served_version()
        app, code = load_service(find_project(), lambda: Path(served.folder))
    except HandoffError as error:
        _log.error("%s", error)
        sys.exit(STARTUP_FAILURE)
    service: PredictionService = app.state.serving
    threading.Thread(
        target=_follow, args=(service, code, served, threading.Event()), name="follow", daemon=True
    ).start()
    return app


def _follow(
    service: PredictionService, code: str, served: Served, stopped: threading.Event
) -> None:
    """Serve what the first process writes."""
    folder, own = served.folder, ""
    while not stopped.wait(_POLL_SECONDS):
        try:
            now = served_version()
        except (OSError, ValueError, TypeError):  # the first process has ended
            continue
        if now.folder != folder:
            own = ""
            try:
                take_over(service, Path(now.folder), code, at=now.at)
            except VersionRefusedError as error:
                own = f"{error} Version {service.loaded.version} goes on answering."
                _log.warning("%s", own)
        folder = now.folder
        service.metrics.registry_was_read(now.read or None)
        service.refused = own or now.refused
