"""A trace shows where the time goes, and contains no value of a row."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, set_tracer_provider

from baton_handoff.contracts import check
from baton_handoff.core import tracing
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.wrapper import ContractedModel
from baton_handoff.serving.prediction_log import PredictionLog
from trip_service import ROW, Price, ask, serving
from trips import PandasTrip

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HIDDEN = "XANTHIPPE"

Spans = Callable[[], tuple[ReadableSpan, ...]]


@pytest.fixture(scope="module")
def kept() -> InMemorySpanExporter:
    """The exporter of the process; a tracer provider can be set only once."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(kept: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """The exported spans, in the order in which they ended."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    tracing._tracer.cache_clear()
    kept.clear()
    yield kept.get_finished_spans
    tracing._tracer.cache_clear()


def tree(spans: tuple[ReadableSpan, ...]) -> dict[str, str]:
    """For each span the name of its parent, in the order in which the spans started."""
    names = {span.context.span_id: span.name for span in spans if span.context}
    ordered = sorted(spans, key=lambda span: span.start_time or 0)
    return {
        span.name: names.get(span.parent.span_id, "a caller") if span.parent else ""
        for span in ordered
    }


class PricedBySeats:
    """A model like those of projects, with features from another package."""

    def __init__(self, features: ModuleType) -> None:
        self.features = features

    def predict(self, table: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"euros": self.features.per_seat(table)})


def features_room(per_seat: Callable[[Any], Any]) -> ModuleType:
    room = ModuleType("trips.features")
    room.__dict__.update({"per_seat": per_seat, "__all__": ["per_seat"]})
    return room


def price(table: Any) -> Any:
    return table["seats"] * 2.5


def serve(client: TestClient, per_seat: Callable[[Any], Any]) -> None:
    """Serve such a model as the service loads it."""
    room = features_room(per_seat)
    tracing.trace_functions(room)
    model = ContractedModel(PricedBySeats(room), PandasTrip, Price)
    serving(client).swap(Loaded("trips", 5, model.predict))


def test_a_request_is_one_trace_with_a_span_for_each_step(
    client: TestClient, spans: Spans, tmp_path: Any
) -> None:
    serve(client, price)
    serving(client).log = PredictionLog(tmp_path)
    assert ask(client).status_code == 200
    assert tree(spans()) == {
        "POST /predict": "",
        "validation": "POST /predict",
        "contract PandasTrip": "POST /predict",
        "model": "POST /predict",
        "features per_seat": "model",
    }
    assert len({span.context.trace_id for span in spans() if span.context}) == 1
    request = spans()[-1]
    assert request.kind == SpanKind.SERVER
    told = {"http.response.status_code": 200, "handoff.model": "trips", "handoff.version": 5}
    assert told.items() <= dict(request.attributes or {}).items()
    assert isinstance(dict(request.attributes or {})["handoff.waited_ms"], float)


def test_a_request_continues_the_trace_of_its_caller(client: TestClient, spans: Spans) -> None:
    ask(client, traceparent=f"00-{TRACE}-{CALLER}-01")
    assert tree(spans())["POST /predict"] == "a caller"
    assert {f"{span.context.trace_id:032x}" for span in spans() if span.context} == {TRACE}


def test_two_requests_are_two_traces(client: TestClient, spans: Spans) -> None:
    ask(client)
    ask(client)
    assert len({span.context.trace_id for span in spans() if span.context}) == 2


def test_a_refused_request_ends_with_its_validation(client: TestClient, spans: Spans) -> None:
    client.post("/predict", json={"rows": [ROW | {"seats": 10}]})
    assert tree(spans()) == {"POST /predict": "", "validation": "POST /predict"}
    assert (spans()[-1].attributes or {})["http.response.status_code"] == 422
    assert spans()[-1].status.is_unset


def test_a_span_contains_only_the_type_of_an_error(client: TestClient, spans: Spans) -> None:
    def quoting(table: Any) -> Any:
        raise ValueError(f"no price for {table['code'][0]}")

    serve(client, quoting)
    assert client.post("/predict", json={"rows": [ROW | {"code": HIDDEN}]}).status_code == 500
    failed = {span.name for span in spans() if not span.status.is_unset}
    assert failed == {"features per_seat", "model", "POST /predict"}
    for span in spans():
        assert HIDDEN not in span.to_json()
    assert (spans()[-1].attributes or {})["handoff.error"] == "ValueError"


def test_a_traced_function_behaves_like_the_original(spans: Spans) -> None:
    room = features_room(price)
    tracing.trace_functions(room)
    traced = room.per_seat
    tracing.trace_functions(room)
    assert room.per_seat is traced
    assert (traced.__name__, traced.__wrapped__) == ("price", price)
    assert list(traced(table=pd.DataFrame({"seats": [2]}))) == [5.0]
    assert [span.name for span in spans()] == ["features per_seat"]


def test_another_process_continues_the_trace(spans: Spans) -> None:
    with tracing.continued_span("pipeline", {}):
        env = tracing.trace_environment()
    with tracing.continued_span("stage train", env):
        pass
    assert tree(spans()) == {"pipeline": "", "stage train": "pipeline"}


def test_lines_of_the_log_contain_their_trace(spans: Spans) -> None:
    assert tracing.current_trace_ids() == {}
    with tracing.continued_span("score", {"TRACEPARENT": f"00-{TRACE}-{CALLER}-01"}):
        assert tracing.current_trace_ids()["trace_id"] == TRACE
        assert tracing.current_trace_ids()["span_id"] != CALLER
    assert len(spans()) == 1


def test_without_a_collector_opentelemetry_is_not_imported() -> None:
    code = (
        "import sys; from baton_handoff import serving; from baton_handoff.core import tracing;"
        " block = tracing.span('a'); block.__enter__(); tracing.record_past_span('b', 0);"
        " tracing.add_span_attributes({});"
        " assert tracing.trace_environment() == tracing.current_trace_ids() == {};"
        " assert block is tracing.continued_span('c', {});"
        " sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    )
    env = {"PYTHONPATH": str(tracing.__file__).removesuffix("/baton_handoff/core/tracing.py")}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0


def test_a_traced_contract_check_returns_the_same_result(spans: Spans) -> None:
    model = ContractedModel(PricedBySeats(features_room(price)), PandasTrip, Price)
    table = check(PandasTrip, PandasTrip.empty())
    assert len(model.predict(table)) == 0
    assert [span.name for span in spans()] == ["contract PandasTrip", "model"]
