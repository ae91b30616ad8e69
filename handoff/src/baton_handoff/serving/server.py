"""The service as a process: it serves the version behind the alias until it is stopped."""

import logging
import signal
import sys

import uvicorn

from baton_handoff.config.project import Project
from baton_handoff.contracts import contracts_of
from baton_handoff.contracts.fast_validation import use_row_models
from baton_handoff.contracts.request_example import request_command
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.followed_alias import followed_alias
from baton_handoff.registry.loaded import import_model_code, open_version
from baton_handoff.serving.hot_reload import AliasWatcher, fetched_folder, start_fetch
from baton_handoff.serving.impatient_protocol import ImpatientProtocol
from baton_handoff.serving.log_setup import set_up_logs
from baton_handoff.serving.prediction_log import PredictionLog

_log = logging.getLogger(__name__)


def serve(project: Project, host: str, port: int) -> None:
    """Answer over HTTP until SIGTERM or Ctrl+C, and then finish the accepted requests.

    Raises:
        HandoffError: There is no version to serve, it was made by other code, or the prediction
            log can't be written.
    """
    set_up_logs(sys.stderr)
    # The first process of a container gets only signals that it handles.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    watcher = AliasWatcher(project)
    fetch = start_fetch(project)  # it takes as long as the imports that follow
    code = import_model_code(project)
    create = project.room("serving.app").create
    use_row_models(contracts_of(project.room("contracts")).values())
    loaded = open_version(fetched_folder(fetch), code)
    app = create(loaded)
    serving = app.state.serving
    serving.settings = project.service
    serving.metrics.latency_target.set(project.promotion.latency_ms / 1000)
    serving.log = _prediction_log(project)
    serving.prove(loaded)
    _log.info(
        "%s version %s answers on http://%s:%s (its API on /docs; Ctrl+C ends it).",
        *(loaded.model, loaded.version, host, port),
    )
    if command := request_command(project.root, f"http://{host}:{port}"):
        _log.info("An example of a request: %s", command)
    _log.info("%s", followed_alias(project))
    watcher.start(serving, code)
    try:
        uvicorn.run(
            app,
            host=host,
            port=port,
            http=ImpatientProtocol,
            log_config=None,  # `set_up_logs` has configured them
            log_level="warning",
            timeout_graceful_shutdown=30,
            reset_contextvars=True,
        )
    finally:
        watcher.stop()


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
    return PredictionLog(project.predictions, project.service.log_share)
