"""The service as a process: it serves the version behind the alias until it is stopped."""

import os
import signal
import socket
import sys
from contextlib import ExitStack, suppress

import uvicorn

from baton_handoff.config.project import Project
from baton_handoff.contracts.request_example import request_command
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.followed_alias import followed_alias
from baton_handoff.serving.access import INTERNAL_PORT, internal_port
from baton_handoff.serving.hot_reload import AliasWatcher, fetched_folder, start_fetch
from baton_handoff.serving.log_setup import set_up_logs
from baton_handoff.serving.uvicorn_options import log_start, uvicorn_config
from baton_handoff.serving.workers import run_workers


def serve(project: Project, host: str, port: int, workers: int = 1) -> None:
    """Answer over HTTP until SIGTERM or Ctrl+C, and then finish the accepted requests.

    Args:
        project: The project.
        host: The address to answer on.
        port: The port, 0 for a free one.
        workers: The number of processes that answer.

    Raises:
        HandoffError: The address can't be used, there is no version to serve, it was made by other
            code, or the prediction log can't be written.
    """
    bound = [_bound_socket(host, port)]  # before the model is loaded, which takes a while
    address = pages = f"http://{host}:{bound[0].getsockname()[1]}"
    if (internal := internal_port(project.service)) is not None:
        bound.append(_bound_socket(host, internal))
        # Each process reads it: the number is known only now if any free port will do.
        os.environ[INTERNAL_PORT] = str(bound[1].getsockname()[1])
        pages = f"http://{host}:{os.environ[INTERNAL_PORT]}"
    set_up_logs(sys.stderr)
    # The first process of a container gets only signals that it handles.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    docs = "" if "docs" in project.service.closed else f"its API on {pages}/docs; "
    sentences = [
        f"{project.model} version {{version}} answers on {address} ({docs}Ctrl+C ends it)."
    ]
    if command := request_command(project.root, address):
        sentences.append(f"An example of a request: {command}")
    sentences.append(followed_alias(project))
    if workers > 1:
        run_workers(project, bound, workers, sentences)
        return
    from baton_handoff.serving.process import load_service  # noqa: PLC0415 - see `run_workers`

    watcher = AliasWatcher(project)
    fetch = start_fetch(project)  # it takes as long as the imports that follow
    app, code = load_service(project, lambda: fetched_folder(fetch))
    serving = app.state.serving
    log_start(sentences, serving.loaded.version)
    watcher.start(serving, code)
    try:
        server = uvicorn.Server(uvicorn_config(app, workers=1))
        with suppress(KeyboardInterrupt):
            server.run(sockets=bound)
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
            # asyncio sends at once (TCP_NODELAY) only if the protocol is named. Otherwise an answer
            # waits up to 40 ms for the client's acknowledgement of its head.
            kind = (family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            bound = on_error.enter_context(socket.socket(*kind))
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
