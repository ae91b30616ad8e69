"""The service's factory: an application that answers with a registered model."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel

from baton_handoff.contracts import (
    Contract,
    ContractViolation,
    Rule,
    RuleKind,
    Violation,
    canonical_form,
)
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.asgi import PREDICT, is_prediction
from baton_handoff.serving.limits import LimitsMiddleware
from baton_handoff.serving.metrics import CONTENT_TYPE
from baton_handoff.serving.observability import (
    REQUEST_ID,
    ObservabilityMiddleware,
    note_validation,
    request_id_of,
    set_reason,
)
from baton_handoff.serving.prediction import PredictionService

_log = logging.getLogger(__name__)

_TELEMETRY: TelemetryConfig = {
    # FastAPI spans each request of the model where `tracing` has found a collector. What it would
    # log holds messages of errors, which may quote rows; its figures are not Prometheus's.
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

    Its `state.serving` is what a process that runs it holds on to: the version can be exchanged
    there, limits and a log can be set.

    Args:
        loaded: The model version to begin with.
        input_schema: Its input contract.
        output_schema: Its output contract.
        request: The generated model of a request: `rows`, each an input row.
        response: The generated model of an answer: `predictions`, and the `version` they are from.

    Raises:
        HandoffError: One of the two models is another one. No answer would tell: predictions have
            met their contract, and are sent as they are.
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

    async def predict(asked: Request, body: Any) -> Response:
        note_validation(asked.scope)
        name = request_id_of(asked.scope)
        try:
            answer = await serving.predict(name, [row.model_dump() for row in body.rows])
        except UnicodeEncodeError:  # half a character: JSON can write one, no table can hold it
            set_reason(asked.scope, "unreadable")
            return _refusal([ErrorDetail(field="body", rule="must be valid Unicode")])
        except ContractViolation as broken:
            contract = input_schema if broken.contract == input_schema.__name__ else output_schema
            for violation in broken.violations:
                serving.metrics.violated(contract, violation)
            if contract is input_schema:
                set_reason(asked.scope, "refused")
                return _refusal(_details(broken))
            set_reason(asked.scope, "broken_answer")
            _log.error("%s", broken)
            return _failure("the model's answer broke its own contract")
        except Exception:
            set_reason(asked.scope, "model_failed")
            raise
        return JSONResponse({"predictions": answer.predictions, "version": answer.version})

    # The body's type is only known here; FastAPI reads it from the annotations.
    predict.__annotations__ = {"asked": Request, "body": request, "return": Response}
    app.post(
        PREDICT,
        response_model=response,
        responses={413: {"model": Failure}, 422: {"model": Refusal}, 503: {"model": Failure}},
        summary=f"{output_schema.__name__} for each {input_schema.__name__}",
    )(predict)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str | int]:
        """Say that a model is there to answer."""
        return {"status": "ready", "version": serving.loaded.version}

    @app.get("/version")
    async def version() -> dict[str, Any]:
        """Say which model answers, what it came from, and which contracts it keeps."""
        return {
            "model": serving.loaded.model,
            "version": serving.loaded.version,
            "commit": serving.loaded.commit or None,
            "code": serving.loaded.code or None,
            "contracts": {c.__name__: _stated_version(c) for c in (input_schema, output_schema)},
            "refused": serving.refused or None,
        }

    @app.get("/metrics", include_in_schema=False)
    async def figures() -> Response:
        return Response(serving.metrics.text(), media_type=CONTENT_TYPE)

    @app.exception_handler(RequestValidationError)
    async def refuse(asked: Request, error: RequestValidationError) -> JSONResponse:
        note_validation(asked.scope)
        found = error.errors()
        no_json = any(item["type"] == "json_invalid" for item in found)
        set_reason(asked.scope, "unreadable" if no_json else "refused")
        for item in found:
            match item["loc"]:
                case "body", "rows", int(row), str(column), *_:
                    violation = Violation(column, Rule(RuleKind.CHECK, message=item["msg"]), (row,))
                    serving.metrics.violated(input_schema, violation)
        details = [
            ErrorDetail(
                field="body" if item["type"] == "json_invalid" else _field(item["loc"][1:]),
                rule=item["msg"].removeprefix("Value error, "),
            )
            for item in found
        ]
        return _refusal(details)

    @app.exception_handler(400)
    async def unreadable(asked: Request, __: Exception) -> JSONResponse:
        set_reason(asked.scope, "unreadable")
        return _refusal([ErrorDetail(field="body", rule="must be JSON, in UTF-8")])

    @app.exception_handler(Exception)
    async def fail(asked: Request, _: Exception) -> JSONResponse:
        # The server logs the error. This answer goes past what would give it its name.
        answer = _failure("something went wrong inside the service; its log says what")
        answer.headers[REQUEST_ID] = request_id_of(asked.scope)
        return answer

    return app


def _stated_version(contract: Contract) -> str | None:
    stated = canonical_form(contract)["metadata"].get("version")
    return None if stated is None else str(stated)


def _details(violation: ContractViolation) -> list[ErrorDetail]:
    return [
        ErrorDetail(field=_field(["rows", row, item.column]), rule=rule_text(item.rule))
        for item in violation.violations
        for row in item.rows or [None]
    ]


def _field(path: Sequence[str | int | None]) -> str:
    """`("rows", 0, "humidity")` as a person writes it: `rows[0].humidity`."""
    known = [part for part in path if part is not None]
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in known]
    said = "".join(parts).removeprefix(".") or "body"
    return said.encode(errors="replace").decode()


def _refusal(errors: list[ErrorDetail]) -> JSONResponse:
    return JSONResponse(Refusal(errors=errors).model_dump(), 422)


def _failure(said: str) -> JSONResponse:
    return JSONResponse(Failure(error=said).model_dump(), 500)
