"""The application that serves a registered model over HTTP."""

import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.types import Scope

from baton_handoff.contracts import Contract, ContractViolation, canonical_form
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import add_span_attributes
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.access import AccessMiddleware
from baton_handoff.serving.limits import LimitsMiddleware
from baton_handoff.serving.observability import (
    PREDICT,
    ObservabilityMiddleware,
    arrival,
    is_prediction,
    request_id,
    set_reason,
)
from baton_handoff.serving.prediction import PredictionService, UnansweredError
from baton_handoff.serving.request_rows import (
    MAX_ERRORS,
    InvalidRequestError,
    RequestErrors,
    TooManyRowsError,
)

_log = logging.getLogger(__name__)

_TELEMETRY: TelemetryConfig = {
    # FastAPI adds a span to each request of the model if `tracing` has found a collector. Its logs
    # would contain messages of errors, which may quote rows; its metrics are not Prometheus's.
    "exclude": lambda scope: not is_prediction(scope),
    "operation_spans": False,
    "logs": False,
    "metrics": False,
    "auto_configure": False,
}


class ErrorDetail(BaseModel):
    """One thing that is wrong with a request."""

    field: str
    rule: str


class Refusal(BaseModel):
    """Why a request was refused: the first errors, and how many more there are."""

    errors: list[ErrorDetail]
    more: str | None = None


class Failure(BaseModel):
    """Why a request was not answered, though nothing may be wrong with it."""

    error: str


def create_app(
    loaded: Loaded,
    input_schema: Contract,
    output_schema: Contract,
    request: type[BaseModel],
    response: type[BaseModel],
) -> FastAPI:
    """Make the application that serves a model.

    The process that runs it uses its `state.serving` to swap the version, to set limits and to log
    predictions.

    Args:
        loaded: The model version to begin with.
        input_schema: Its input contract.
        output_schema: Its output contract.
        request: The generated model of a request: `rows`, each an input row.
        response: The generated model of an answer: `predictions`, and the `version` they are from.

    Raises:
        HandoffError: One of the two models has other fields. Predictions have met their contract
            and are sent without another check, so no answer would show it.
    """
    for model, fields in ((request, {"rows"}), (response, {"predictions", "version"})):
        if set(model.model_fields) != fields:
            raise HandoffError(
                f"The service is made with {model.__name__}, whose fields are not"
                f" {' and '.join(sorted(fields))}: see serving/app.py, or `uv run poe fix`."
            )
    app = FastAPI(title=loaded.model, version=str(loaded.version), telemetry=_TELEMETRY)
    serving = PredictionService(loaded, input_schema, output_schema, request)
    app.state.serving = serving
    app.add_middleware(LimitsMiddleware, serving=serving)
    app.add_middleware(AccessMiddleware, serving=serving)
    app.add_middleware(ObservabilityMiddleware, serving=serving)

    async def answer(http: Request) -> Response:
        try:
            body = await _json(http)
            text = await serving.answer(request_id(http.scope), body, arrival(http.scope))
        except Exception as error:
            if refusal := _refusal_of(error, http.scope, serving, (input_schema, output_schema)):
                return refusal
            set_reason(http.scope, "model_failed")
            add_span_attributes({"handoff.error": type(error).__qualname__})
            raise
        return Response(text, media_type="application/json")

    class Predict(APIRoute):
        """FastAPI describes the body, which it would validate on the event loop."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            return answer

    async def predict(body: Any) -> None:
        """Only described: `answer` is called."""

    # Only this function knows the type of the body; FastAPI reads it from the annotations.
    predict.__annotations__ = {"body": request, "return": None}
    app.router.add_api_route(
        PREDICT,
        predict,
        methods=["POST"],
        response_model=response,
        responses={
            status: {"model": Refusal if status == 422 else Failure}
            for status in (401, 408, 413, 422, 500, 503)
        },
        summary=f"{output_schema.__name__} for each {input_schema.__name__}",
        description="",
        route_class_override=Predict,
    )

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Report that the process is alive."""
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str | int]:
        """Report that a model is loaded."""
        return {"status": "ready", "version": serving.loaded.version}

    @app.get("/version")
    async def version() -> dict[str, Any]:
        """Report the loaded model version, its origin and its contracts."""
        forms = [canonical_form(contract) for contract in (input_schema, output_schema)]
        versions = {form["name"]: form["metadata"].get("version") for form in forms}
        return {
            "model": serving.loaded.model,
            "version": serving.loaded.version,
            "commit": serving.loaded.commit or None,
            "code": serving.loaded.code or None,
            "contracts": {name: None if v is None else str(v) for name, v in versions.items()},
            "refused": serving.refused or None,
        }

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(serving.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    described = app.openapi

    def openapi() -> dict[str, Any]:
        schema = described()
        _with_whole_bounds(schema)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def _with_whole_bounds(schema: Any) -> None:
    """Publish whole bounds as integers: FastAPI makes floats of them, which clients round."""
    if isinstance(schema, dict):
        for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if isinstance(value := schema.get(bound), float) and value.is_integer():
                schema[bound] = int(value)
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            _with_whole_bounds(part)


def _refusal_of(
    error: Exception,
    scope: Scope,
    serving: PredictionService,
    contracts: tuple[Contract, Contract],
) -> Response | None:
    """The answer to an expected error of `PredictionService.answer`, None for any other."""
    input_schema, output_schema = contracts
    match error:
        case InvalidRequestError(errors=found):
            set_reason(scope, "refused" if found.is_json else "unreadable")
            for path, _ in found.listed:
                match path:
                    case "rows", int(), str(column), *_:
                        serving.metrics.record_violation(input_schema, column, 1)
            details = [ErrorDetail(field=_field(path), rule=rule) for path, rule in found.listed]
            return _refusal(details, found.more)
        case TooManyRowsError():
            set_reason(scope, "too_long")
            limit = f"{serving.settings.largest_request_rows:,.0f}"
            return _failure(
                f"the request has more rows, or values, than {limit} rows may have: send its rows"
                " in several",
                413,
            )
        case UnansweredError(rows=rows):
            set_reason(scope, "unanswered")
            texts = {row: sorted(rule_text(rule) for _, rule in rows[row]) for row in sorted(rows)}
            for text in sorted({text for row in texts.values() for text in row})[:MAX_ERRORS]:
                _log.warning("rows that meet %s: %s", input_schema.__name__, text)
            return _refusal(
                [
                    ErrorDetail(field=f"rows[{row}]", rule=text)
                    for row in texts
                    for text in texts[row]
                ]
            )
        case ContractViolation():
            is_input = error.contract == input_schema.__name__
            for item in error.violations:
                contract = input_schema if is_input else output_schema
                serving.metrics.record_violation(contract, item.column, len(item.rows) or 1)
            set_reason(scope, "refused" if is_input else "broken_answer")
            if is_input:
                return _refusal(_details(error))
            _log.error("%s", error)
            return _failure("the predictions break the output contract")
    return None


async def _json(http: Request) -> bytes:
    """The body of a request, if it is declared as JSON that is not compressed."""
    kind = http.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    encoding = http.headers.get("Content-Encoding", "identity").strip().lower()
    rule = ""
    if not re.fullmatch(r"application/([^/]+\+)?json", kind):
        rule = "must be JSON, with the header Content-Type: application/json"
    elif encoding != "identity":
        rule = "must not be compressed: send it without the header Content-Encoding"
    if rule:
        errors = RequestErrors(is_json=False)
        errors.add((), rule)
        raise InvalidRequestError(errors)
    return await http.body()


def _details(error: ContractViolation) -> list[ErrorDetail]:
    return [
        ErrorDetail(field=_field(["rows", row, item.column]), rule=rule_text(item.rule))
        for item in error.violations
        for row in item.rows or [None]
    ]


def _field(path: Sequence[str | int | None]) -> str:
    """`("rows", 0, "humidity")` as `rows[0].humidity`."""
    known = [part for part in path if part is not None]
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in known]
    text = "".join(parts).removeprefix(".") or "body"
    return text.encode(errors="replace").decode()


def _refusal(errors: list[ErrorDetail], more: int = 0) -> JSONResponse:
    more += len(errors[MAX_ERRORS:])
    refusal = Refusal(errors=errors[:MAX_ERRORS], more=f"and {more:,} more" if more else None)
    return JSONResponse(refusal.model_dump(exclude_none=True), 422)


def _failure(error: str, status: int = 500) -> JSONResponse:
    return JSONResponse(Failure(error=error).model_dump(), status)
