"""The application that serves a registered model over HTTP."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from baton_handoff.contracts import Contract, ContractViolation, canonical_form
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.limits import LimitsMiddleware
from baton_handoff.serving.observability import (
    PREDICT,
    REQUEST_ID,
    ObservabilityMiddleware,
    is_prediction,
    record_validation,
    request_id,
    set_reason,
)
from baton_handoff.serving.prediction import PredictionService

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
    """Why a request was refused."""

    errors: list[ErrorDetail]


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
    serving = app.state.serving = PredictionService(loaded, input_schema, output_schema)
    app.add_middleware(LimitsMiddleware, serving=serving)
    app.add_middleware(ObservabilityMiddleware, serving=serving)

    async def predict(http: Request, body: Any) -> Response:
        record_validation(http.scope)
        try:
            rows = [row.model_dump() for row in body.rows]
            answer = await serving.predict(request_id(http.scope), rows)
        except UnicodeEncodeError:  # half a character: valid in JSON, but not in a table
            set_reason(http.scope, "unreadable")
            return _refusal([ErrorDetail(field="body", rule="must be valid Unicode")])
        except ContractViolation as error:
            is_input = error.contract == input_schema.__name__
            for item in error.violations:
                contract = input_schema if is_input else output_schema
                serving.metrics.record_violation(contract, item.column, len(item.rows) or 1)
            if is_input:
                set_reason(http.scope, "refused")
                return _refusal(_details(error))
            set_reason(http.scope, "broken_answer")
            _log.error("%s", error)
            return _failure("the predictions break the output contract")
        except Exception:
            set_reason(http.scope, "model_failed")
            raise
        return JSONResponse(answer)

    # Only this function knows the type of the body; FastAPI reads it from the annotations.
    predict.__annotations__ = {"http": Request, "body": request, "return": Response}
    app.post(
        PREDICT,
        response_model=response,
        responses={413: {"model": Failure}, 422: {"model": Refusal}, 503: {"model": Failure}},
        summary=f"{output_schema.__name__} for each {input_schema.__name__}",
    )(predict)

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

    @app.exception_handler(RequestValidationError)
    async def refuse(http: Request, error: RequestValidationError) -> JSONResponse:
        record_validation(http.scope)
        found = error.errors()
        no_json = any(item["type"] == "json_invalid" for item in found)
        set_reason(http.scope, "unreadable" if no_json else "refused")
        for item in found:
            match item["loc"]:
                case "body", "rows", int(), str(column), *_:
                    serving.metrics.record_violation(input_schema, column, 1)
        return _refusal([_invalid(item) for item in found])

    @app.exception_handler(400)
    async def unreadable(http: Request, _: Exception) -> JSONResponse:
        set_reason(http.scope, "unreadable")
        return _refusal([ErrorDetail(field="body", rule="must be JSON, in UTF-8")])

    @app.exception_handler(Exception)
    async def fail(http: Request, _: Exception) -> JSONResponse:
        # The server logs the error. This answer bypasses the middleware that adds the identifier.
        answer = _failure("an error inside the service; its log has the details")
        answer.headers[REQUEST_ID] = request_id(http.scope)
        return answer

    return app


def _invalid(item: Mapping[str, Any]) -> ErrorDetail:
    """Pydantic's description of an error, with its own message."""
    field = "body" if item["type"] == "json_invalid" else _field(item["loc"][1:])
    return ErrorDetail(field=field, rule=item["msg"].removeprefix("Value error, "))


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


def _refusal(errors: list[ErrorDetail]) -> JSONResponse:
    return JSONResponse(Refusal(errors=errors).model_dump(), 422)


def _failure(error: str) -> JSONResponse:
    return JSONResponse(Failure(error=error).model_dump(), 500)
