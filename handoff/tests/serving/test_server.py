"""An address that the service can't use is one sentence, before the model is loaded."""

import socket

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.serving.server import _bound_socket, serve


def test_a_busy_port_is_named_before_anything_is_loaded(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(HandoffError, match=rf"can't use port {port} .*in use.*--port"):
            serve(project, "127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("no-such-host.invalid", 8000), ("127.0.0.1", 70_000)])
def test_an_address_that_is_none_is_named(host: str, port: int) -> None:
    with pytest.raises(HandoffError, match=f"can't use port {port} of {host} "):
        _bound_socket(host, port)


@pytest.mark.parametrize("processes", ["2", "auto"])
def test_several_processes_are_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", processes)
    with pytest.raises(HandoffError, match=f"WEB_CONCURRENCY asks for {processes} processes"):
        serve(project, "127.0.0.1", 0)


def test_a_bound_socket_refuses_until_the_service_listens() -> None:
    with _bound_socket("127.0.0.1", 0) as bound, pytest.raises(ConnectionRefusedError):
        socket.create_connection(bound.getsockname())
