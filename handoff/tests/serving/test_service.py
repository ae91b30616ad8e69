"""The service answers, keeps its limits and writes its log."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from fastapi.testclient import TestClient

from baton_handoff.config.settings import ServiceSettings
from baton_handoff.contracts import ContractViolation
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.prediction_log import LoggedPrediction, PredictionLog, read_log
from baton_handoff.serving.replay import replay, summarize_replay, write_replayed
from baton_handoff.serving.unanswered import infinite_predictions
from full_disk import room_for
from trip_service import ROW, api_of, app_of, ask, figure, fixed, serving
from trips import PandasTrip


def test_the_answer_names_the_version(client: TestClient) -> None:
    answer = ask(client)
    assert (answer.status_code, answer.json()) == (
        200,
        {"predictions": [{"euros": 7.5}], "version": 3},
    )
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready", "version": 3}
    assert client.get("/version").json() == {
        "model": "trips",
        "version": 3,
        "commit": "c" * 40,
        "code": "d" * 64,
        "contracts": {"PandasTrip": "1.0.0", "Price": "2.1.0"},
        "refused": None,
    }


@pytest.mark.parametrize(
    ("given", "kept"), [("order-17", True), ("", False), ("a b", False), ("x" * 129, False)]
)
def test_the_callers_identifier_is_kept_if_it_is_safe_to_log(
    client: TestClient, given: str, kept: bool
) -> None:
    name = ask(client, **{"X-Request-ID": given}).headers["X-Request-ID"]
    assert (name == given) is kept
    assert name


def test_a_version_is_swapped_between_two_requests(client: TestClient) -> None:
    serving(client).swap(Loaded("trips", 4, fixed(8.0)))
    assert ask(client).json() == {"predictions": [{"euros": 8.0}], "version": 4}
    assert figure(client, "handoff_model_version") == 4
    assert figure(client, "handoff_model_swaps_total") == 1


def test_a_body_beyond_the_limit_is_refused(client: TestClient) -> None:
    serving(client).settings = ServiceSettings(largest_request_bytes=1000)
    answer = client.post("/predict", json={"rows": [ROW] * 100})
    assert answer.status_code == 413
    assert "longer than 1000 bytes" in answer.json()["error"]
    assert ask(client).status_code == 200


def test_a_request_beyond_the_queue_is_told_when_to_retry(client: TestClient) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(table: Any) -> Any:
        asked.set()
        go_on.wait(10)
        return fixed(1.0)(table)

    serving(client).swap(Loaded("trips", 5, slow))
    serving(client).settings = ServiceSettings(queue=1)
    first: list[int] = []
    thread = threading.Thread(target=lambda: first.append(ask(client).status_code))
    thread.start()
    assert asked.wait(10)
    second = ask(client)
    go_on.set()
    thread.join()
    assert (second.status_code, second.headers["Retry-After"]) == (503, "1")
    assert first == [200]
    assert figure(client, 'handoff_requests_total{status="503"}') == 1


def test_a_slow_prediction_times_out(client: TestClient) -> None:
    def slow(table: Any) -> Any:
        time.sleep(0.5)
        return fixed(1.0)(table)

    serving(client).swap(Loaded("trips", 5, slow))
    serving(client).settings = ServiceSettings(timeout_seconds=0.05)
    answer = ask(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_an_error_of_the_model_is_not_sent_to_the_caller(client: TestClient) -> None:
    def broken(_: Any) -> Any:
        raise ValueError("the password is 1234")

    serving(client).swap(Loaded("trips", 5, broken))
    answer = ask(client)
    assert answer.status_code == 500
    assert "1234" not in answer.text
    assert "Traceback" not in answer.text


def test_the_log_contains_each_request_with_its_answer(client: TestClient, tmp_path: Path) -> None:
    serving(client).log = PredictionLog(tmp_path)
    ask(client, **{"X-Request-ID": "order-17"})
    (record,) = read_log(tmp_path)
    assert (record.request, record.model, record.version) == ("order-17", "trips", 3)
    assert record.predictions == [{"euros": 7.5}]
    assert record.rows[0]["town"] == "Ulm"
    assert client.post("/predict", json={"rows": [ROW | {"seats": 10}]}).status_code == 422
    assert len(list(read_log(tmp_path))) == 1


def test_a_failed_write_to_the_log_is_counted_and_leaves_no_partial_line(
    client: TestClient, tmp_path: Path
) -> None:
    serving(client).log = PredictionLog(tmp_path)
    ask(client)
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()
    with room_for(len(before) + len(before) // 2):
        assert ask(client).status_code == 200
    assert file.read_bytes() == before
    assert figure(client, "handoff_predictions_not_logged_total") == 1
    ask(client)
    assert len(list(read_log(tmp_path))) == 2


def test_what_is_beyond_the_limits_of_the_log_is_deleted(tmp_path: Path) -> None:
    record = LoggedPrediction("a", "2026-11-23T00:00:00+00:00", "trips", 1, [{"x": 1}], [{"y": 2}])
    for day in (21, 22, 23):
        PredictionLog(tmp_path).write(replace(record, at=f"2026-11-{day}T00:00:00+00:00"))
    (tmp_path / "notes.txt").write_text("of a person")
    PredictionLog(tmp_path, days=1).write(record)
    assert {file.name[:10] for file in tmp_path.glob("*.jsonl")} == {"2026-11-22", "2026-11-23"}

    log = PredictionLog(tmp_path, size=20_000)
    for number in range(400):
        log.write(replace(record, request=str(number)))
    sizes = [file.stat().st_size for file in tmp_path.glob("*.jsonl")]
    assert 15_000 < sum(sizes) <= 20_000
    kept = [int(record.request) for record in read_log(tmp_path)]
    assert sorted(kept) == list(range(400 - len(kept), 400))
    assert (tmp_path / "notes.txt").exists()


def test_an_incomplete_line_of_the_log_is_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Also if the next process has the PID and the host of the killed one, as in a container."""
    record = LoggedPrediction("a", "2026-11-23T00:00:00+00:00", "trips", 1, [{"x": 1}], [{"y": 2}])
    PredictionLog(tmp_path).write(record)
    (file,) = tmp_path.iterdir()
    with file.open("a") as opened:
        opened.write('{"request": "b", "at"')
    PredictionLog(tmp_path).write(replace(record, request="c"))
    assert {record.request for record in read_log(tmp_path)} == {"a", "c"}
    assert caplog.messages == [f"{file}:2 is incomplete: skipped"]


def test_an_invalid_line_of_the_log_is_reported_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "2026-11-23.x.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(HandoffError, match=r"2026-11-23\.x\.jsonl:1 is not a logged prediction"):
        list(read_log(tmp_path))


def test_the_sample_of_requests_is_always_the_same(tmp_path: Path) -> None:
    names = [f"request-{number}" for number in range(2000)]
    kept = [name for name in names if PredictionLog(tmp_path, 0.25).samples(name)]
    assert 400 < len(kept) < 600
    assert kept == [name for name in names if PredictionLog(tmp_path, 0.25).samples(name)]
    assert all(PredictionLog(tmp_path, 1.0).samples(name) for name in names)
    assert not any(PredictionLog(tmp_path, 0.0).samples(name) for name in names)


def test_a_challenger_is_compared_on_the_logged_requests(
    client: TestClient, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    serving(client).log = PredictionLog(log)
    for number in range(3):
        ask(client, **{"X-Request-ID": f"order-{number}"})
    with pytest.raises(HandoffError, match="log is empty"):
        list(summarize_replay([], 4))
    challenger = Loaded("trips", 4, fixed(8.0))
    replayed = list(replay(challenger, PandasTrip, read_log(log)))
    assert [(one.request, one.row, one.version) for one in replayed] == [
        (f"order-{number}", 0, 3) for number in range(3)
    ]
    assert list(summarize_replay(replayed, 4)) == [
        "3 rows answered by version 3, replayed with 4",
        "  euros: mean difference 0.5, median 0.5, maximum 0.5",
    ]
    write_replayed(replayed, tmp_path / "replayed.parquet")
    table = pd.read_parquet(tmp_path / "replayed.parquet")
    assert [answer["euros"] for answer in table["now"]] == [8.0, 8.0, 8.0]
    assert [path.name for path in tmp_path.iterdir()] == ["log", "replayed.parquet"]


def test_requests_that_a_challenger_refuses_are_counted(client: TestClient, tmp_path: Path) -> None:
    serving(client).log = PredictionLog(tmp_path)
    ask(client)

    def strict(_: Any) -> Any:
        raise ContractViolation("PandasTrip", ())

    replayed = list(replay(Loaded("trips", 4, strict), PandasTrip, read_log(tmp_path)))
    assert list(summarize_replay(replayed, 4))[1] == "  1 of them it refuses"


def test_the_published_bounds_of_an_unbounded_integer_are_those_that_the_service_enforces() -> None:
    class Count(pa.DataFrameModel):
        times: int

        class Config:
            strict = True
            metadata = {"version": "1.0.0", "position": "output"}

    schema = app_of(api_of(Count), Count, fixed(1)).openapi()
    published = schema["components"]["schemas"]["CountRow"]["properties"]["times"]
    assert (published["minimum"], published["exclusiveMaximum"]) == (-(2**63), 2**63)
    assert isinstance(published["exclusiveMaximum"], int)


def test_an_infinite_prediction_is_a_row_that_the_model_can_not_answer() -> None:
    found = infinite_predictions([{"price": 1.0}, {"price": float("-inf")}, {"price": None}])
    ((row, ((column, rule),)),) = found.items()
    assert (row, column) == (1, None)
    assert rule_text(rule) == "the model can't answer it: it predicts an infinite number"
