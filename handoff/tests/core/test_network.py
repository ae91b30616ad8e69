"""Calls to this machine never go through a proxy, whatever client makes them."""

import http.server
import threading
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
import requests

from baton_handoff.core.network import given_environment, reach_this_machine_directly

DEAD = "http://127.0.0.1:9"


@pytest.fixture
def port() -> Iterator[int]:
    """A server on this machine that answers 200 with its name."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"here")

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("listed", [None, "", "internal.example", "*", " a.example , localhost"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_proxy_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, port: int, listed: str | None, host: str
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, DEAD)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, listed or "")
        if listed is None:
            monkeypatch.delenv(name)
    for _ in range(2):
        reach_this_machine_directly()
    address = f"http://{host}:{port}/"
    with urlopen(address, timeout=5) as answer:
        assert answer.read() == b"here"
    assert requests.get(address, timeout=5).text == "here"


@pytest.mark.parametrize("listed", [None, "internal.example", "localhost", "*"])
def test_what_the_person_has_set_is_still_known(
    monkeypatch: pytest.MonkeyPatch, listed: str | None
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    if listed:
        monkeypatch.setenv("no_proxy", listed)
    for _ in range(2):
        reach_this_machine_directly()
    assert given_environment()["no_proxy"] == (listed or "")


def test_other_machines_are_reached_as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", DEAD)
    monkeypatch.setenv("no_proxy", "internal.example")
    reach_this_machine_directly()
    assert requests.utils.get_environ_proxies("http://other.example/")["http"] == DEAD
    assert not requests.utils.get_environ_proxies("http://internal.example/")
