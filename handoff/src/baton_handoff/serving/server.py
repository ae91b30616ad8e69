"""The service as a process: it serves the version behind the alias until it is stopped."""

import logging
import os
import signal
import socket
import sys
from contextlib import ExitStack, suppress

import uvicorn

from baton_handoff.config.project import Project
from baton_handoff.contracts import contracts_of
from baton_handoff.contracts.fast_validation import use_fast_validation
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
        HandoffError: The address can't be used, there is no version to serve, it was made by other
            code, or the prediction log can't be written.
    """
    if (processes := os.environ.get("WEB_CONCURRENCY", "1")) != "1":
        raise HandoffError(
            f"WEB_CONCURRENCY asks for {processes} processes, but a service is one process: unset"
            " it, and start one service for each process behind a load balancer."
        )
    bound = _bound_socket(host, port)  # before the model is loaded, which takes a while
    port = bound.getsockname()[1]
    set_up_logs(sys.stderr)
    # The first process of a container gets only signals that it handles.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    watcher = AliasWatcher(project)
    fetch = start_fetch(project)  # it takes as long as the imports that follow
    code = import_model_code(project)
    create = project.room("serving.app").create
    use_fast_validation(contracts_of(project.room("contracts")).values())
    loaded = open_version(fetched_folder(fetch), code)
    app = create(loaded)
    serving = app.state.serving
    serving.settings = project.service
    serving.metrics.latency_target.set(project.promotion.latency_ms / 1000)
    serving.log = _prediction_log(project)
    serving.loaded = serving.prove(loaded)
    _log.info(
        "%s version %s answers on http://%s:%s (its API on /docs; Ctrl+C ends it).",
        *(loaded.model, loaded.version, host, port),
    )
    if command := request_command(project.root, f"http://{host}:{port}"):
        _log.info("An example of a request: %s", command)
    _log.info("%s", followed_alias(project))
    watcher.start(serving, code)
    try:
        configuration = uvicorn.Config(
            app,
            http=ImpatientProtocol,
            log_config=None,  # `set_up_logs` has configured them
            log_level="warning",
            timeout_graceful_shutdown=30,
            reset_contextvars=True,
            workers=1,
        )
        server = uvicorn.Server(configuration)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[bound])
    finally:
        watcher.stop()
    if not server.started:
        raise HandoffError("The service did not start: its log above has the reason.")


def _bound_socket(host: str, port: int) -> socket.socket:
    """A socket with the service's address, which refuses connections until the service listens.

    Raises:
        HandoffError: The address is unknown, in use or not permitted.
    """
    with ExitStack() as on_error:
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            bound = on_error.enter_context(socket.socket(family))
            if os.name != "nt":  # there it would allow two services on one port
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((address[0], port, *address[2:]))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise HandoffError(
                f"The service can't use port {port} of {host} ({reason}): choose another with"
                " --port or --host, or end the program that uses it."
            ) from error
        on_error.pop_all()
    return bound


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
