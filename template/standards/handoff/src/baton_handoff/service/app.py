"""The service's factory: an application that answers with a registered model."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from baton_handoff.contracts import Contract, ContractViolation, from_rows, to_rows
from baton_handoff.model.loaded import Loaded

_log = logging.getLogger(__name__)


class ErrorDetail(BaseModel):
    """One thing that is wrong with a request."""

    field: str
    rule: str


class Refusal(BaseModel):
    """Why a request was refused."""

    errors: list[ErrorDetail]


def create_app(
    loaded: Loaded,
    takes: Contract,
    gives: Contract,
    request: type[BaseModel],
    response: type[BaseModel],
) -> FastAPI:
    """Make the application that serves one loaded model.

    Args:
        loaded: The model version.
        takes: Its input contract.
        gives: Its output contract.
        request: The generated model of a request: `rows`, each an input row.
        response: The generated model of an answer: `predictions`, and the `version` they are from.
    """
    app = FastAPI(title=loaded.model, version=str(loaded.version))

    def predict(body: Any) -> Any:
        try:
            table = from_rows(takes, [row.model_dump() for row in body.rows])
            predictions = loaded.predict(table)
        except UnicodeEncodeError:  # half a character: JSON can write one, no table can hold it
            return _refusal([ErrorDetail(field="body", rule="must be valid Unicode")])
        except ContractViolation as violation:
            if violation.contract == takes.__name__:
                return _refusal(_details(violation))
            _log.error("%s", violation)
            return _failure("the model's answer broke its own contract")
        return response(predictions=to_rows(predictions), version=loaded.version)

    # The body's type is only known here; FastAPI reads it from the annotations.
    predict.__annotations__ = {"body": request, "return": response}
    app.post(
        "/predict",
        response_model=response,
        responses={422: {"model": Refusal}},
        summary=f"{gives.__name__} for each {takes.__name__}",
    )(predict)

    @app.get("/healthz")
    def healthz() -> dict[str, Any]:
        """Say which model answers here."""
        return {"model": loaded.model, "version": loaded.version}

    @app.exception_handler(RequestValidationError)
    def refuse(_: Request, error: RequestValidationError) -> JSONResponse:
        return _refusal(
            [
                ErrorDetail(
                    field="body" if item["type"] == "json_invalid" else _field(item["loc"][1:]),
                    rule=item["msg"].removeprefix("Value error, "),
                )
                for item in error.errors()
            ]
        )

    @app.exception_handler(400)
    def unreadable(_: Request, __: Exception) -> JSONResponse:
        return _refusal([ErrorDetail(field="body", rule="must be JSON, in UTF-8")])

    @app.exception_handler(Exception)
    def fail(_: Request, error: Exception) -> JSONResponse:
        _log.error("request failed", exc_info=error)
        return _failure("something went wrong inside the service; its log says what")

    return app


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


def _refusal(errors: list[ErrorDetail]) -> JSONResponse:
    return JSONResponse(Refusal(errors=errors).model_dump(), status_code=422)


def _failure(said: str) -> JSONResponse:
    return JSONResponse({"error": said}, status_code=500)
