"""Spans: where the time of a request, a stage or a file goes, told to a collector by OTLP.

On exactly where OpenTelemetry's own variables name a collector; elsewhere none of it is imported.
No span holds a value of a row, nor the message of an error, which may quote one.
"""

import inspect
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache, wraps
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from baton_handoff.core.files import find_upwards
from baton_handoff.core.toml_files import read_toml

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.trace import Tracer

_log = logging.getLogger(__name__)

_COLLECTOR = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NOTHING = nullcontext()


def span(name: str, **facts: str | int) -> AbstractContextManager[None]:
    """A span around a block, within the one that is open; nothing where nobody listens.

    Args:
        name: What the block does.
        facts: What else to say of it: names and counts, nothing that stood in a row.
    """
    tracer = _tracer()
    return _Around(tracer, name, facts) if tracer else _NOTHING


def continued_span(name: str, env: Mapping[str, str]) -> AbstractContextManager[None]:
    """A span around what a process does, within the one in which it was started.

    Args:
        name: What it does.
        env: Its environment.
    """
    tracer = _tracer()
    if tracer is None:
        return _NOTHING
    from opentelemetry.context import Context
    from opentelemetry.propagate import extract

    sent = {key.lower(): value for key, value in env.items()}
    return _Around(tracer, name, {}, extract(sent, Context()))


def trace_environment() -> dict[str, str]:
    """What another process needs in its environment to go on with the span that is open."""
    sent: dict[str, str] = {}
    if _tracer():
        from opentelemetry.propagate import inject

        inject(sent)
    return {key.upper(): value for key, value in sent.items()}


def record_past_span(name: str, since: int) -> None:
    """A span that ends now, within the one that is open.

    Args:
        name: What was done.
        since: When it began, as `time.time_ns` says it.
    """
    if tracer := _tracer():
        tracer.start_span(name, start_time=since).end()


def add_span_attributes(facts: Mapping[str, str | int | float]) -> None:
    """Say more of the span that is open."""
    if _tracer():
        from opentelemetry.trace import get_current_span

        get_current_span().set_attributes(facts)


def current_trace_ids() -> dict[str, str]:
    """The names of the trace and the span that are open, as a line of a log has them."""
    if _tracer() is None:
        return {}
    from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

    known = get_current_span().get_span_context()
    if not known.is_valid:
        return {}
    return {"trace_id": format_trace_id(known.trace_id), "span_id": format_span_id(known.span_id)}


def trace_functions(room: ModuleType) -> None:
    """Put a span around each function that a room exports, for whoever imports it from now on."""
    if _tracer() is None:
        return
    name = room.__name__.rpartition(".")[2]
    for exported in getattr(room, "__all__", ()):
        function = getattr(room, exported)
        if inspect.isfunction(function) and not hasattr(function, "__wrapped__"):
            setattr(room, exported, _traced(f"{name} {exported}", function))


def _traced(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def within(*arguments: Any, **named: Any) -> Any:
        with span(name):
            return function(*arguments, **named)

    return within


class _Around(AbstractContextManager[None]):
    """A span around a block. A class, for it is in the way of every request."""

    __slots__ = ("_before", "_facts", "_name", "_opened", "_tracer", "_within")

    def __init__(
        self,
        tracer: "Tracer",
        name: str,
        facts: Mapping[str, str | int],
        within: "Context | None" = None,
    ) -> None:
        self._tracer, self._name, self._facts, self._within = tracer, name, facts, within

    def __enter__(self) -> None:
        from opentelemetry.context import attach
        from opentelemetry.trace import set_span_in_context

        self._opened = self._tracer.start_span(self._name, self._within, attributes=self._facts)
        self._before = attach(set_span_in_context(self._opened, self._within))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        from opentelemetry.context import detach
        from opentelemetry.trace import StatusCode

        detach(self._before)
        if kind:
            self._opened.set_status(StatusCode.ERROR)
            self._opened.set_attribute("error.type", kind.__qualname__)
        self._opened.end()


@cache
def _tracer() -> "Tracer | None":
    """What makes spans, None where nobody listens."""
    if not any(map(os.environ.get, _COLLECTOR)):
        return None
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        _log.warning("There are no traces, %s is missing: the group `service` has it.", error.name)
        return None
    # Whoever has started this process may have set one up.
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        provider = TracerProvider(resource=_resource())
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
    return trace.get_tracer("baton_handoff")


def _resource() -> "Resource":
    """Who speaks, as the environment says it; without a word there, the project's model."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    stated = Resource.create()
    if not str(stated.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return stated
    model = _model()
    return stated.merge(Resource({SERVICE_NAME: model})) if model else stated


def _model() -> str:
    """The model that the nearest handoff.toml names, which is not read strictly here."""
    file = find_upwards("handoff.toml", Path.cwd())
    try:
        return str(read_toml(file).get("model", "")) if file else ""
    except (OSError, ValueError):
        return ""
