"""The service reports what it does by logs and metrics, without the values of a row."""

import io
import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pandera.pandas as pa
import pytest
import structlog
from fastapi.testclient import TestClient

from baton_handoff.config.settings import ServiceSettings
from baton_handoff.contracts import ContractViolation, Rule, RuleKind, Violation, check
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.distribution import MAX_CLASSES
from baton_handoff.serving.log_setup import set_up_logs
from baton_handoff.serving.metrics import Reason
from baton_handoff.serving.prediction_log import PredictionLog
from baton_handoff.serving.running import _last_line
from trip_service import ROW, api_of, app_of, ask, figure, fixed, serving
from trips import PandasTrip

SECRET = "XANTHIPPE"
JSON = {"Content-Type": "application/json"}
HIDDEN = ROW | {"code": SECRET, "price": 987.654}


class Log(io.StringIO):
    """What was logged, as the lines of JSON that it is."""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


class Terminal(Log):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def log() -> Iterator[Log]:
    yield from listening(Log())


@pytest.fixture
def shown() -> Iterator[Log]:
    yield from listening(Terminal())


def listening(stream: Log) -> Iterator[Log]:
    """Set the logs up as a service does, and leave those of the tests as they were."""
    root, ours = logging.getLogger(), logging.getLogger("baton_handoff")
    handlers, level = root.handlers[:], ours.level
    root.handlers.clear()
    set_up_logs(stream)
    yield stream
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    ours.setLevel(level)
    root.handlers[:] = handlers


def swap(client: TestClient, predict: Any) -> None:
    serving(client).swap(Loaded("trips", 5, predict))


def quotes_a_row(table: Any) -> Any:
    """A model that fails as models do: with what stood in the row."""
    try:
        float(table["code"][0])
    except ValueError as error:
        raise RuntimeError(f"no price for {table['code'][0]}") from error


def test_a_request_is_logged_as_a_line_of_json(client: TestClient, log: Log) -> None:
    ask(client, **{"X-Request-ID": "order-17"})
    (line,) = log.lines()
    assert line.pop("milliseconds") > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line.pop("timestamp"))
    assert line == {
        "event": "answered",
        "status": 200,
        "level": "info",
        "logger": "baton_handoff.serving.observability",
        "request": "order-17",
    }


def test_logs_of_the_models_own_code_contain_the_request(client: TestClient, log: Log) -> None:
    def logging_model(table: Any) -> Any:
        logging.getLogger("trips").warning("the %s way", "usual")
        structlog.get_logger("trips").warning("the new way", flights=len(table))
        return fixed(1.0)(table)

    swap(client, logging_model)
    ask(client, **{"X-Request-ID": "order-18"})
    usual, new, _ = log.lines()
    assert (usual["event"], usual["request"]) == ("the usual way", "order-18")
    assert (new["event"], new["request"], new["flights"]) == ("the new way", "order-18", 1)


def test_every_answer_contains_the_identifier(client: TestClient) -> None:
    def broken(_: Any) -> Any:
        raise ValueError

    name = {"X-Request-ID": "order-19"}
    answers = [ask(client, **name), client.post("/predict", content="{", headers=name | JSON)]
    serving(client).settings = ServiceSettings(queue=0)
    answers.append(ask(client, **name))
    serving(client).settings = ServiceSettings(largest_request_bytes=10)
    answers.append(ask(client, **name))
    serving(client).settings = ServiceSettings()
    swap(client, broken)
    answers.append(ask(client, **name))
    assert [answer.status_code for answer in answers] == [200, 422, 503, 413, 500]
    assert {answer.headers["X-Request-ID"] for answer in answers} == {"order-19"}


def test_a_terminal_gets_lines_to_read(client: TestClient, shown: Log) -> None:
    ask(client, **{"X-Request-ID": "order-17"})
    plain = re.sub(r"\x1b\[\d+m", "", shown.getvalue())
    assert re.search(r"\[info +\] answered .*request=order-17 .*status=200", plain)


def refuses(_: Any) -> Any:
    """A model whose answer breaks its own contract."""
    raise ContractViolation("Price", (Violation("euros", Rule(RuleKind.NULL), (0,)),))


def refuses_inside(_: Any) -> Any:
    """A model with a contract inside that its input contract does not imply."""
    raise ContractViolation("Features", (Violation("age", Rule(RuleKind.NULL), (0,)),))


def strictly(table: Any) -> Any:
    """A model that checks its input as the registered one does."""
    return check(PandasTrip, table.assign(seats=table["seats"] + 41_414))


def test_no_line_of_the_log_contains_a_value_of_a_row(
    client: TestClient, log: Log, tmp_path: Path
) -> None:
    full = tmp_path / "log"
    full.touch()  # a file where the folder belongs: nothing can be logged
    serving(client).log = PredictionLog(full)
    for predict in (fixed(123.25), refuses, strictly):
        swap(client, predict)
        client.post("/predict", json={"rows": [HIDDEN]})
    client.post("/predict", json={"rows": [HIDDEN | {"seats": 41_414}]})
    client.post("/predict", json={"rows": [HIDDEN | {SECRET: 1}]})
    client.post("/predict", content=json.dumps({"rows": [HIDDEN]})[:-1], headers=JSON)
    swap(client, quotes_a_row)
    assert client.post("/predict", json={"rows": [HIDDEN]}).status_code == 500
    reported = [(line.get("status"), line.get("reason") or line["event"]) for line in log.lines()]
    broken = "Price is violated: column 'euros' must not be null (row 0)."
    assert reported == [
        (None, f"the request is not in the prediction log: [Errno 17] File exists: '{full}'"),
        (200, "answered"),
        (None, broken),
        (500, "broken_answer"),
        (422, "refused"),
        (422, "refused"),
        (422, "refused"),
        (422, "unreadable"),
        (None, "the request failed"),
        (500, "model_failed"),
    ]
    for value in (SECRET, "987.654", "123.25", "41414", "Ulm"):
        assert value not in log.getvalue()


def test_an_error_is_logged_by_class_and_place(log: Log) -> None:
    try:
        quotes_a_row(pd.DataFrame([HIDDEN]))
    except RuntimeError:
        logging.getLogger("trips").exception("no answer")
    (line,) = log.lines()
    where = line["exception"].splitlines()
    assert [log for log in where if not log.startswith(" ")] == ["ValueError", "RuntimeError"]
    assert 'test_telemetry.py", line' in line["exception"]
    assert SECRET not in line["exception"]


@pytest.mark.parametrize("log", ['{"event": "no port"}', "no port", '{"a": 1}', "7", ""])
def test_the_last_line_of_a_log_is_reported_as_a_sentence(log: str) -> None:
    sentence = {"": "its log is empty.", '{"event": "no port"}': "no port"}.get(log, log)
    assert _last_line(io.StringIO(f"before\n{log}\n" if log else "")) == sentence


def test_errors_are_counted_by_reason(client: TestClient) -> None:
    def reasons() -> dict[str, float]:
        text = client.get("/metrics").text
        found = re.findall(r'handoff_errors_total\{reason="(\w+)"\} (\S+)', text)
        return {reason: float(times) for reason, times in found}

    def slow(table: Any) -> Any:
        time.sleep(0.3)
        return fixed(1.0)(table)

    nought = dict.fromkeys(get_args(Reason), 0.0)
    assert reasons() == nought
    ask(client)
    assert reasons() == nought
    client.post("/predict", content=b"\xff\xfe", headers=JSON)
    client.post("/predict", json={"rows": [ROW | {"seats": 10}]})
    client.get("/predict")
    serving(client).tokens = (b"secret",)
    ask(client)
    serving(client).tokens = ()
    for predict, settings in (
        (fixed(1.0), ServiceSettings(largest_request_bytes=10)),
        (fixed(1.0), ServiceSettings(queue=0)),
        (slow, ServiceSettings(timeout_seconds=0.05)),
        (refuses, ServiceSettings()),
        (quotes_a_row, ServiceSettings()),
        (refuses_inside, ServiceSettings()),
    ):
        swap(client, predict)
        serving(client).settings = settings
        ask(client)
    # Nothing here is an error of the service's own, and no body is incomplete.
    others = {"failed": 0, "incomplete": 0}
    assert reasons() == dict.fromkeys(get_args(Reason), 1.0) | others


def test_violations_are_counted_by_contract_and_column(client: TestClient) -> None:
    def times(contract: str, position: str, column: str) -> float:
        labels = f'column="{column}",contract="{contract}",position="{position}"'
        return figure(client, f"handoff_contract_violations_total{{{labels}}}")

    assert times("PandasTrip", "input", "seats") == 0
    client.post("/predict", json={"rows": [ROW | {"seats": 10}, ROW | {"seats": 0, "town": "X"}]})
    assert times("PandasTrip", "input", "seats") == 2
    assert times("PandasTrip", "input", "town") == 1
    assert times("Price", "output", "euros") == 0


def test_unknown_columns_add_no_series(client: TestClient) -> None:
    def series() -> set[str]:
        lines = client.get("/metrics").text.splitlines()
        return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}

    client.post("/predict", json={"rows": [ROW | {"made up": 1}]})
    before = series()
    for number in range(20):
        name = {"X-Request-ID": f"order-{number}"}
        client.post("/predict", json={"rows": [ROW | {f"column {number}": 1}]}, headers=name)
        client.get(f"/{number}")
    assert series() == before
    assert figure(client, 'handoff_contract_violations_total{column="(other)",contract="Pan') == 21


def test_predicted_numbers_have_a_distribution(client: TestClient) -> None:
    ask(client)
    swap(client, fixed(250.0))
    ask(client)
    assert figure(client, 'handoff_predicted_value_count{column="euros"}') == 2
    assert figure(client, 'handoff_predicted_value_bucket{column="euros",le="0.0"}') == 0
    assert figure(client, 'handoff_predicted_value_bucket{column="euros",le="10.0"}') == 1
    assert figure(client, 'handoff_predicted_value_bucket{column="euros",le="300.0"}') == 2
    assert 'le="-1.0"' not in client.get("/metrics").text  # no price is less than nought


def test_probabilities_and_the_classes_in_the_contract_have_a_distribution() -> None:
    towns = [f"town {number}" for number in range(MAX_CLASSES + 10)]

    class Guess(pa.DataFrameModel):
        """What is guessed."""

        late: float = pa.Field(ge=0, le=1)
        wet: bool
        town: str = pa.Field(isin=towns)
        why: str

        class Config:
            metadata = {"position": "output"}

    def guess(table: Any) -> Any:
        one = {"late": 0.25, "wet": True, "town": towns[-1], "why": SECRET}
        return pd.DataFrame([one] * len(table))

    api = api_of(Guess)
    with TestClient(app_of(api, Guess, guess)) as client:
        assert ask(client).status_code == 200
        text = client.get("/metrics").text
        assert figure(client, 'handoff_predicted_value_bucket{column="late",le="0.2"}') == 0
        assert figure(client, 'handoff_predicted_value_bucket{column="late",le="0.3"}') == 1
        for column, one in (("wet", "true"), ("town", "(other)")):
            labels = f'class="{one}",column="{column}"'
            assert figure(client, f"handoff_predicted_class_total{{{labels}}}") == 1
    assert len(re.findall(r"(?m)^handoff_predicted_class_total", text)) == MAX_CLASSES + 1 + 3
    assert SECRET not in text


def test_a_refused_version_sets_a_metric(client: TestClient) -> None:
    assert figure(client, "handoff_model_refused") == 0
    serving(client).refused = "Version 4 was made by other code."
    assert figure(client, "handoff_model_refused") == 1
