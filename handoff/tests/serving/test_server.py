"""An address that the service can't use is one sentence, before the model is loaded."""

import socket

import pytest

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.serving.server import _bound_socket, serve
from baton_handoff.serving.workers import worker_count


def test_a_busy_port_is_named_before_anything_is_loaded(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(HandoffError, match=rf"can't use port {port} .*in use.*--port"):
            serve(project, "127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("no-such-host.invalid", 8000), ("127.0.0.1", 70_000)])
def test_an_address_that_is_none_is_named(host: str, port: int) -> None:
    with pytest.raises(HandoffError, match=f"can't use port {port} of {host} "):
        _bound_socket(host, port)


@pytest.mark.parametrize(
    ("option", "variable", "count"), [(None, "", 1), (None, "3", 3), ("2", "3", 2)]
)
def test_the_number_of_processes_is_an_option_or_a_variable(
    monkeypatch: pytest.MonkeyPatch, option: str | None, variable: str, count: int
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", variable)
    assert worker_count(option) == count
    assert worker_count("cores") >= 1


@pytest.mark.parametrize(("option", "variable"), [(None, "auto"), ("0", "1"), ("-1", "1")])
def test_any_other_number_of_processes_is_named_with_its_source(
    monkeypatch: pytest.MonkeyPatch, option: str | None, variable: str
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", variable)
    source = "--workers" if option else "WEB_CONCURRENCY"
    with pytest.raises(UsageError, match=f"{source} must be a number from 1 on, or `cores`"):
        worker_count(option)


def test_answers_are_sent_at_once() -> None:
    with _bound_socket("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP  # what asyncio asks for


def test_a_bound_socket_refuses_until_the_service_listens() -> None:
    with _bound_socket("127.0.0.1", 0) as bound, pytest.raises(ConnectionRefusedError):
        socket.create_connection(bound.getsockname())
