"""Pages may be closed or answer on a port of their own; a token may be required."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from baton_handoff.config.settings import ServiceSettings
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.serving.access import (
    INTERNAL_PORT,
    TOKEN,
    TOKEN_FILE,
    accepted_tokens,
    internal_port,
)
from trip_service import ask, figure, serving

PAGES = ("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json", "/metrics", "/version")


def statuses(client: TestClient, *paths: str, **headers: str) -> set[int]:
    return {client.get(path, headers=headers).status_code for path in paths}


def test_closed_pages_are_not_found_and_predictions_go_on(client: TestClient) -> None:
    assert statuses(client, *PAGES) == {200}
    serving(client).settings = ServiceSettings(closed=["docs", "metrics", "version"])
    assert statuses(client, *PAGES) == {404}
    assert statuses(client, "/healthz", "/readyz") == {200}
    assert ask(client).status_code == 200


def test_pages_are_shown_on_the_internal_port_alone(client: TestClient) -> None:
    service = serving(client)
    service.internal_port = 9090
    assert statuses(client, *PAGES) == {404}
    assert statuses(client, "/healthz", "/readyz") == {200}
    assert ask(client).status_code == 200
    internal = TestClient(client.app, base_url="http://trips:9090")
    assert statuses(internal, *PAGES, "/healthz", "/readyz") == {200}
    assert ask(internal).status_code == 200
    service.settings = ServiceSettings(closed=["docs"])
    assert statuses(internal, "/docs", "/openapi.json") == {404}
    assert statuses(internal, "/metrics") == {200}


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer on", "Bearer onetwo", "Basic one", "one"])
def test_without_an_accepted_token_only_health_is_answered(client: TestClient, given: str) -> None:
    serving(client).tokens = (b"one", b"two")
    headers = {"Authorization": given} if given else {}
    answer = ask(client, **headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json() == {"error": "a request needs the header Authorization: Bearer TOKEN"}
    assert statuses(client, *PAGES, "/nowhere", **headers) == {401}
    assert statuses(client, "/healthz", "/readyz", **headers) == {200}


@pytest.mark.parametrize("given", ["Bearer one", "bearer two", "Bearer  one"])
def test_each_accepted_token_opens_everything(client: TestClient, given: str) -> None:
    serving(client).tokens = (b"one", b"two")
    assert ask(client).status_code == 401
    assert ask(client, Authorization=given).status_code == 200
    assert statuses(client, *PAGES, Authorization=given) == {200}
    serving(client).tokens = ()
    assert figure(client, 'handoff_errors_total{reason="unauthorized"}') == 1


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the variable names."""
    for name in (TOKEN, TOKEN_FILE):
        monkeypatch.delenv(name, raising=False)
    assert accepted_tokens() == ()
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "token"))
    return tmp_path / "token"


def test_tokens_come_from_a_variable_and_from_a_file(
    secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret.write_text("new\nold\n")
    assert accepted_tokens() == (b"new", b"old")
    monkeypatch.setenv(TOKEN, "other")
    assert accepted_tokens() == (b"other", b"new", b"old")


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff"], ids=repr)
def test_a_token_that_is_missing_never_opens_the_service(
    secret: Path, content: bytes | None
) -> None:
    if content is not None:
        secret.write_bytes(content)
    with pytest.raises(HandoffError, match=f"{TOKEN_FILE} .*to serve without a token"):
        accepted_tokens()


def test_the_internal_port_is_a_setting_or_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INTERNAL_PORT, raising=False)
    assert internal_port(ServiceSettings()) is None
    assert internal_port(ServiceSettings(internal_port=9090)) == 9090
    for text, port in (("", 9090), ("0", 0), ("9191", 9191)):
        monkeypatch.setenv(INTERNAL_PORT, text)
        assert internal_port(ServiceSettings(internal_port=9090)) == port
    for text in ("none", "65536", "-1"):
        monkeypatch.setenv(INTERNAL_PORT, text)
        with pytest.raises(UsageError, match=f"not '{text}'"):
            internal_port(ServiceSettings())
