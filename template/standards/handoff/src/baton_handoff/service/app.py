"""The service's factory: an application that answers with a registered model."""

import logging
import re
import uuid
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from baton_handoff.contracts import Contract, ContractViolation, canonical_form
from baton_handoff.errors import HandoffError
from baton_handoff.model.loaded import Loaded
from baton_handoff.service.limits import Limits
from baton_handoff.service.metrics import CONTENT_TYPE
from baton_handoff.service.serving import Serving

_log = logging.getLogger(__name__)

REQUEST_ID = "X-Request-ID"


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
    takes: Contract,
    gives: Contract,
    request: type[BaseModel],
    response: type[BaseModel],
) -> FastAPI:
    """Make the application that serves a model.

    Its `state.serving` is what a process that runs it holds on to: the version can be exchanged
    there, limits and a log can be set.

    Args:
        loaded: The model version to begin with.
        takes: Its input contract.
        gives: Its output contract.
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
                f" {' and '.join(sorted(fields))}: see serving/app.py, or `uv run poe api`."
            )
    app = FastAPI(title=loaded.model, version=str(loaded.version))
    serving = app.state.serving = Serving(loaded, takes)
    app.add_middleware(Limits, serving=serving)

    async def predict(asked: Request, body: Any) -> Response:
        identifier = _identifier(asked)
        headers = {REQUEST_ID: identifier}
        try:
            answer = await serving.predict(identifier, [row.model_dump() for row in body.rows])
        except UnicodeEncodeError:  # half a character: JSON can write one, no table can hold it
            return _refusal([ErrorDetail(field="body", rule="must be valid Unicode")], headers)
        except ContractViolation as violation:
            if violation.contract == takes.__name__:
                return _refusal(_details(violation), headers)
            _log.error("request %s: %s", identifier, violation)
            return _failure("the model's answer broke its own contract", headers)
        content = {"predictions": answer.predictions, "version": answer.version}
        return JSONResponse(content, headers=headers)

    # The body's type is only known here; FastAPI reads it from the annotations.
    predict.__annotations__ = {"asked": Request, "body": request, "return": Response}
    app.post(
        "/predict",
        response_model=response,
        responses={413: {"model": Failure}, 422: {"model": Refusal}, 503: {"model": Failure}},
        summary=f"{gives.__name__} for each {takes.__name__}",
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
            "contracts": {c.__name__: _stated_version(c) for c in (takes, gives)},
            "refused": serving.refused or None,
        }

    @app.get("/metrics", include_in_schema=False)
    async def figures() -> Response:
        return Response(serving.metrics.text(), media_type=CONTENT_TYPE)

    @app.exception_handler(RequestValidationError)
    async def refuse(asked: Request, error: RequestValidationError) -> JSONResponse:
        details = [
            ErrorDetail(
                field="body" if item["type"] == "json_invalid" else _field(item["loc"][1:]),
                rule=item["msg"].removeprefix("Value error, "),
            )
            for item in error.errors()
        ]
        return _refusal(details, {REQUEST_ID: _identifier(asked)})

    @app.exception_handler(400)
    async def unreadable(asked: Request, __: Exception) -> JSONResponse:
        detail = ErrorDetail(field="body", rule="must be JSON, in UTF-8")
        return _refusal([detail], {REQUEST_ID: _identifier(asked)})

    @app.exception_handler(Exception)
    async def fail(asked: Request, error: Exception) -> JSONResponse:
        identifier = _identifier(asked)
        _log.error("request %s failed", identifier, exc_info=error)
        said = "something went wrong inside the service; its log says what"
        return _failure(said, {REQUEST_ID: identifier})

    return app


def _identifier(asked: Request) -> str:
    """The caller's name for a request if it is a decent one, or else one of ours."""
    if not hasattr(asked.state, "identifier"):
        given = asked.headers.get(REQUEST_ID, "")
        decent = re.fullmatch(r"[\w.:-]{1,128}", given, re.ASCII)
        asked.state.identifier = given if decent else uuid.uuid4().hex
    identifier: str = asked.state.identifier
    return identifier


def _stated_version(contract: Contract) -> str | None:
    stated = canonical_form(contract)["metadata"].get("version")
    return None if stated is None else str(stated)


def _details(violation: ContractViolation) -> list[ErrorDetail]:
    return [
        ErrorDetail(field=_field(["rows", row, item.column]), rule=item.rule)
        for item in violation.violations
        for row in item.rows or [None]
    ]


def _field(path: Sequence[str | int | None]) -> str:
    """`("rows", 0, "humidity")` as a person writes it: `rows[0].humidity`."""
    known = [part for part in path if part is not None]
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in known]
    said = "".join(parts).removeprefix(".") or "body"
    return said.encode(errors="replace").decode()


def _refusal(errors: list[ErrorDetail], headers: dict[str, str]) -> JSONResponse:
    return JSONResponse(Refusal(errors=errors).model_dump(), 422, headers)


def _failure(said: str, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse(Failure(error=said).model_dump(), 500, headers)
