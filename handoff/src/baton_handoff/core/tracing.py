"""Traces: spans of requests, pipeline stages and files, sent to a collector with OTLP.

Tracing is on if one of OpenTelemetry's own variables names a collector; otherwise OpenTelemetry is
not even imported. No span contains a value of a row, nor an error's message, which may quote one.
"""

import inspect
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
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
_NO_SPAN = nullcontext()


def span(name: str, **attributes: str | int) -> AbstractContextManager[None]:
    """Open a span around a block, as a child of the current span.

    Args:
        name: What the block does.
        attributes: Names and counts, never values of a row.
    """
    tracer = _tracer()
    return _open_span(tracer, name, attributes) if tracer else _NO_SPAN


def continued_span(name: str, env: Mapping[str, str]) -> AbstractContextManager[None]:
    """Open a span in the trace of the process that started this one."""
    tracer = _tracer()
    if tracer is None:
        return _NO_SPAN
    from opentelemetry.context import Context
    from opentelemetry.propagate import extract

    headers = {key.lower(): value for key, value in env.items()}
    return _open_span(tracer, name, {}, extract(headers, Context()))


def trace_environment() -> dict[str, str]:
    """The environment variables with which another process continues the current span."""
    headers: dict[str, str] = {}
    if _tracer():
        from opentelemetry.propagate import inject

        inject(headers)
    return {key.upper(): value for key, value in headers.items()}


def record_past_span(name: str, start: int) -> None:
    """Add a span that began at a time in nanoseconds and ends now, below the current one."""
    if tracer := _tracer():
        tracer.start_span(name, start_time=start).end()


def add_span_attributes(attributes: Mapping[str, str | int | float]) -> None:
    """Add attributes to the current span."""
    if _tracer():
        from opentelemetry.trace import get_current_span

        get_current_span().set_attributes(attributes)


def current_trace_ids() -> dict[str, str]:
    """The ids of the current trace and span, as a line of the log contains them."""
    if _tracer() is None:
        return {}
    from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

    ids = get_current_span().get_span_context()
    if not ids.is_valid:
        return {}
    return {"trace_id": format_trace_id(ids.trace_id), "span_id": format_span_id(ids.span_id)}


def trace_functions(module: ModuleType) -> None:
    """Wrap each function that a module exports in a span; earlier imports keep the bare ones."""
    if _tracer() is None:
        return
    prefix = module.__name__.rpartition(".")[2]
    for name in getattr(module, "__all__", ()):
        function = getattr(module, name)
        if inspect.isfunction(function) and not hasattr(function, "__wrapped__"):
            setattr(module, name, _traced(f"{prefix} {name}", function))


def _traced(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def traced(*arguments: Any, **keywords: Any) -> Any:
        with span(name):
            return function(*arguments, **keywords)

    return traced


@contextmanager
def _open_span(
    tracer: "Tracer",
    name: str,
    attributes: Mapping[str, str | int],
    context: "Context | None" = None,
) -> Iterator[None]:
    from opentelemetry.trace import StatusCode

    with tracer.start_as_current_span(
        name, context, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield
        except BaseException as error:
            opened.set_status(StatusCode.ERROR)
            opened.set_attribute("error.type", type(error).__qualname__)
            raise


@cache
def _tracer() -> "Tracer | None":
    """The tracer; None if no collector is set."""
    if not any(map(os.environ.get, _COLLECTOR)):
        return None
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        _log.warning("No traces: %s is not installed, the group `service` has it.", error.name)
        return None
    # A program that embeds the engine may have set a provider of its own.
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        provider = TracerProvider(resource=_resource())
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
    return trace.get_tracer("baton_handoff")


def _resource() -> "Resource":
    """The name of the service: from the environment, or else the name of the project's model."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    resource = Resource.create()
    if not str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return resource
    file = find_upwards("handoff.toml", Path.cwd())
    try:
        # Not validated: tracing must work with settings that the command then refuses.
        model = str(read_toml(file).get("model", "")) if file else ""
    except (OSError, ValueError):
        model = ""
    return resource.merge(Resource({SERVICE_NAME: model})) if model else resource
