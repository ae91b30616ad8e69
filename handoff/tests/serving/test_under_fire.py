"""Hostile requests and slow clients keep nobody else waiting."""

import asyncio
import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from baton_handoff.config.settings import ServiceSettings
from baton_handoff.contracts import ContractViolation, Rule, RuleKind, Violation, check
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving import impatient_protocol, request_rows
from baton_handoff.serving.impatient_protocol import ImpatientProtocol
from baton_handoff.serving.request_rows import MAX_ERRORS
from trip_service import ROW, ask, figure, fixed, serving
from trips import PandasTrip

JSON = {"Content-Type": "application/json"}
SIZE = 8 * 2**20 - 100
AGE = ContractViolation(
    "Features",
    (Violation("age", Rule(RuleKind.CHECK, check="ge", message="must be positive"), (0,)),),
)


def post(client: TestClient, content: bytes) -> Any:
    return client.post("/predict", content=content, headers=JSON)


@pytest.mark.parametrize(
    "body",
    [
        b'{"rows":[' + b"{}," * (SIZE // 3) + b"{}]}",
        b'{"rows":[' + b"[]," * (SIZE // 3) + b"[]]}",
        b'{"rows":[' + b'"",' * (SIZE // 3) + b'""]}',
        b'{"rows":[{' + b",".join(b'"%d":0' % n for n in range(300_000)) + b"}]}",
        b"[" * SIZE,
    ],
    ids=["objects", "lists", "texts", "keys", "deep"],
)
def test_more_values_than_rows_have_are_never_parsed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """A parser does not let other threads work, so nothing of this size may reach it."""
    parse = Mock()
    monkeypatch.setattr(request_rows, "from_json", parse)
    answer = post(client, body)
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("the request has more rows, or values, than 10,000")
    parse.assert_not_called()


@pytest.mark.parametrize("text", [b'\\"', b",", b"\\", b"{["], ids=str)
def test_a_text_without_an_end_takes_no_longer_than_its_length(
    client: TestClient, text: bytes
) -> None:
    """Were each quote tried as a beginning of its own, this test would not end."""
    body = b'{"rows":["' + text * (SIZE // len(text) // 2) + b'","' + b'\\",' * (SIZE // 6)
    assert post(client, body).status_code == 422


def test_the_errors_of_many_rows_are_counted_and_the_first_are_listed(client: TestClient) -> None:
    answer = post(client, b'{"rows":[' + b",".join([b"{}"] * 5000) + b"]}")
    assert answer.status_code == 422
    refusal = answer.json()
    assert len(refusal["errors"]) == MAX_ERRORS
    assert refusal["errors"][0] == {"field": "rows[0].town", "rule": "Field required"}
    assert refusal["more"] == f"and {5000 * 6 - MAX_ERRORS:,} more"
    few = client.post("/predict", json={"rows": [{}]}).json()
    assert (len(few["errors"]), "more" in few) == (6, False)


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ({"rows": [ROW], **{f"x{n}": 1 for n in range(150)}}, 50),
        ({"rows": [ROW | {f"x{n}": 1 for n in range(150)}]}, 50),
        ({"rows": [ROW | {"seats": 99}] * 150}, 50),
        ({"rows": [ROW] * 150}, 50),
    ],
    ids=["keys beside the rows", "unknown columns", "values", "a rule of the table"],
)
def test_every_kind_of_error_is_listed_up_to_the_limit(
    client: TestClient, body: Any, more: int
) -> None:
    serving(client).swap(Loaded("trips", 5, lambda table: check(PandasTrip, table)))
    answer = client.post("/predict", json=body)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == MAX_ERRORS
    assert answer.json()["more"] == f"and {more:,} more"


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        (b"[1]", "body", "must be an object"),
        (b'{"rows": {}}', "rows", "Input should be a valid list"),
        (b'{"rows": []}', "rows", "List should have at least 1 item"),
        (b"{}", "rows", "Field required"),
        (b'{"rows": [7]}', "rows[0]", "must be an object"),
        (b'{"rows": [], "more": 1}', "rows", "List should have at least 1 item"),
        (b'{"rows":', "body", "must be JSON, in UTF-8"),
        (b'{"rows": ["\\ud800"]}', "body", "must be JSON, in UTF-8"),
        ("{}".encode("utf-16"), "body", "must be JSON, in UTF-8"),
    ],
)
def test_what_is_no_request_is_refused_in_a_sentence(
    client: TestClient, body: bytes, field: str, rule: str
) -> None:
    answer = post(client, body)
    assert answer.status_code == 422
    first = answer.json()["errors"][0]
    assert first["field"] == field
    assert first["rule"].startswith(rule)


def test_the_header_that_a_request_lacks_is_named(client: TestClient) -> None:
    answer = client.post("/predict", content=json.dumps({"rows": [ROW]}))
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["errors"][0]["rule"]
    marked = post(client, b"\xef\xbb\xbf" + json.dumps({"rows": [ROW]}).encode())
    assert marked.status_code == 200


def test_a_compressed_body_is_refused_and_the_last_of_repeated_keys_counts(
    client: TestClient,
) -> None:
    packed = gzip.compress(json.dumps({"rows": [ROW]}).encode())
    answer = client.post("/predict", content=packed, headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status_code == 422
    assert "without the header Content-Encoding" in answer.json()["errors"][0]["rule"]
    twice = b'{"rows": [], ' + json.dumps({"rows": [ROW]}).encode()[1:]
    assert len(post(client, twice).json()["predictions"]) == 1


def test_rows_beyond_the_setting_are_refused(client: TestClient) -> None:
    serving(client).settings = ServiceSettings(largest_request_rows=2)
    rows = [ROW | {"seats": seats} for seats in (1, 2, 3)]
    assert client.post("/predict", json={"rows": rows[:2]}).status_code == 200
    answer = client.post("/predict", json={"rows": rows})
    assert answer.status_code == 413
    assert "than 2 rows" in answer.json()["error"]


def test_many_characters_of_text_are_not_many_values(client: TestClient) -> None:
    text = ",[{" * 100_000
    answer = client.post("/predict", json={"rows": [ROW | {"code": f'"{text}\\'}]})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "rows[0].code"


def test_the_service_answers_while_a_large_request_is_validated(client: TestClient) -> None:
    """The small requests too: the large one has not answered when they have."""
    reading, go_on = threading.Event(), threading.Event()
    reader = serving(client)._reader
    read = reader.read

    def slow(body: bytes, rows: float) -> Any:
        if len(body) > 100_000:
            reading.set()
            assert go_on.wait(30)
        return read(body, rows)

    reader.read = slow

    async def answers() -> list[int]:
        transport = httpx.ASGITransport(client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://trips") as other:
            rows = [ROW | {"seats": 1, "town": "Bonn", "code": "A" * 1000}] * 200
            large = asyncio.create_task(other.post("/predict", json={"rows": rows}))
            await asyncio.to_thread(reading.wait, 30)
            paths = ("/healthz", "/readyz", "/metrics")
            statuses = [(await other.get(path)).status_code for path in paths]
            statuses.append((await other.post("/predict", json={"rows": [ROW]})).status_code)
            assert not large.done()
            go_on.set()
            return [*statuses, (await large).status_code]

    assert asyncio.run(answers()) == [200] * 5


@contextmanager
def listening(client: TestClient) -> Iterator[int]:
    """The service behind a port of this machine, as `serve` runs it."""
    config = uvicorn.Config(
        client.app, host="127.0.0.1", port=0, http=ImpatientProtocol, log_level="critical"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def head(length: int) -> bytes:
    return (
        b"POST /predict HTTP/1.1\r\nHost: trips\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % length
    )


def test_requests_that_are_still_arriving_take_no_place_in_the_queue(client: TestClient) -> None:
    serving(client).settings = ServiceSettings(queue=1)
    with listening(client) as port:
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
        for each in slow:
            each.sendall(head(100) + b"{")
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/predict", json.dumps({"rows": [ROW]}), JSON)
        assert connection.getresponse().status == 200
        connection.close()
        for each in slow:
            each.close()


def test_a_body_that_does_not_arrive_is_given_up(client: TestClient) -> None:
    serving(client).settings = ServiceSettings(timeout_seconds=0.05)
    with listening(client) as port, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(head(100) + b"{")
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        assert (answer.status, answer.getheader("Connection")) == (408, "close")
        assert "did not arrive within 0.05 seconds" in json.loads(answer.read())["error"]
        assert slow.recv(1) == b""


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTT"], ids=["nothing", "half a head"])
def test_a_connection_without_a_request_is_closed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(impatient_protocol, "HEAD_SECONDS", 0.05)
    with listening(client) as port, socket.create_connection(("127.0.0.1", port)) as idle:
        idle.settimeout(30)
        idle.sendall(begun)
        assert idle.recv(1) == b""


def test_half_a_head_after_an_answer_is_given_up_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impatient_protocol, "HEAD_SECONDS", 0.05)
    with listening(client) as port, socket.create_connection(("127.0.0.1", port)) as idle:
        idle.settimeout(30)
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: trips\r\n\r\n")
        answer = http.client.HTTPResponse(idle)
        answer.begin()
        assert answer.read() == b'{"status":"alive"}'
        idle.sendall(b"GET /healthz HTT")
        assert idle.recv(1) == b""


def test_an_error_does_not_close_the_connection(client: TestClient) -> None:
    def broken(_: Any) -> Any:
        raise ValueError

    with listening(client) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.connect()
        used = connection.sock
        for predict, status in ((broken, 500), (fixed(1.0), 200)):
            serving(client).swap(Loaded("trips", 5, predict))
            connection.request("POST", "/predict", json.dumps({"rows": [ROW]}), JSON)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
            assert connection.sock is used
        connection.close()


def test_a_disconnected_client_is_no_error_of_the_service(client: TestClient) -> None:
    with listening(client) as port:
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(head(100) + b"{")
        while not figure(client, 'handoff_errors_total{reason="incomplete"}'):
            time.sleep(0.01)
    assert figure(client, 'handoff_errors_total{reason="failed"}') == 0


def fails_for(seats: int, error: Exception) -> Any:
    """A model that can't answer trips with so many seats."""

    def predict(table: Any) -> Any:
        if (table["seats"] == seats).any():
            raise error
        return fixed(1.0)(table)

    return predict


TRIPS = [ROW | {"seats": seats, "direct": False} for seats in range(1, 10)]


def test_rows_that_the_model_cannot_answer_are_named(client: TestClient) -> None:
    rule = "the model can't answer it: Features.age must be positive"
    serving(client).swap(Loaded("trips", 5, fails_for(4, AGE)))
    for rows, row in ((TRIPS, 3), (TRIPS[3:4], 0)):
        answer = client.post("/predict", json={"rows": rows})
        assert (answer.status_code, answer.json()) == (
            422,
            {"errors": [{"field": f"rows[{row}]", "rule": rule}]},
        )
    assert figure(client, 'handoff_errors_total{reason="unanswered"}') == 2
    assert client.post("/predict", json={"rows": TRIPS[:3]}).status_code == 200


def test_an_error_of_the_code_is_the_rows_if_the_model_answers_others(client: TestClient) -> None:
    """The others are rows of the request, or rows of the version's own evaluation."""
    predict = fails_for(4, ZeroDivisionError("41414"))
    serving(client).swap(Loaded("trips", 5, predict))
    rule = "the model can't answer it: it fails with ZeroDivisionError"
    answer = client.post("/predict", json={"rows": TRIPS})
    assert answer.json() == {"errors": [{"field": "rows[3]", "rule": rule}]}
    assert client.post("/predict", json={"rows": TRIPS[3:4]}).status_code == 500
    serving(client).swap(Loaded("trips", 5, predict, examples=TRIPS[:1]))
    assert client.post("/predict", json={"rows": TRIPS[3:4]}).status_code == 422


def test_a_prediction_against_the_output_contract_is_the_rows_too(client: TestClient) -> None:
    negative = Violation(
        "euros", Rule(RuleKind.CHECK, check="positive", message="must be positive")
    )
    predict = fails_for(4, ContractViolation("Price", (negative,)))
    serving(client).swap(Loaded("trips", 5, predict, examples=TRIPS[:1]))
    rule = "the model can't answer it: Price.euros must be positive"
    for rows, row in ((TRIPS, 3), (TRIPS[3:4], 0)):
        answer = client.post("/predict", json={"rows": rows})
        assert answer.json() == {"errors": [{"field": f"rows[{row}]", "rule": rule}]}
    assert 'contract="Price"' in client.get("/metrics").text
    serving(client).swap(Loaded("trips", 5, predict))
    assert client.post("/predict", json={"rows": TRIPS[3:4]}).status_code == 500


def test_a_model_that_answers_nothing_is_an_error_of_the_service(client: TestClient) -> None:
    def broken(_: Any) -> Any:
        raise KeyError

    calls = 0

    def counted(table: Any) -> Any:
        nonlocal calls
        calls += 1
        return broken(table)

    serving(client).swap(Loaded("trips", 5, counted, examples=TRIPS[:1]))
    rows = [ROW | {"seats": 1 + n % 9, "direct": False} for n in range(500)]
    assert client.post("/predict", json={"rows": rows}).status_code == 500
    assert calls < 100
    assert ask(client).status_code == 500


def test_the_schema_lists_every_status(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths["/predict"]["post"]["responses"]) == {
        *("200", "401", "408", "413", "422", "500", "503")
    }
    body = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/PredictionRequest"}
