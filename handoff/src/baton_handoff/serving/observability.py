"""Middleware that gives each request to the model an identifier, metrics and a line in the log."""

import logging
import re
import time
import uuid
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from baton_handoff.serving.metrics import Reason
from baton_handoff.serving.prediction import PredictionService

_log = logging.getLogger(__name__)

PREDICT = "/predict"
REQUEST_ID = "X-Request-ID"


def is_prediction(scope: Scope) -> bool:
    """Whether a request asks for predictions."""
    return bool(scope["type"] == "http" and scope["path"] == PREDICT)


class ObservabilityMiddleware:
    """Adds the identifier to the answer, and records status, reason and duration."""

    def __init__(self, app: ASGIApp, serving: PredictionService) -> None:
        self._app = app
        self._metrics = serving.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if not is_prediction(scope):
            await self._app(scope, receive, send)
            return
        started, status, is_answered = time.perf_counter(), 500, False
        scope.setdefault("state", {})["started"] = time.time_ns()
        request = request_id(scope)
        structlog.contextvars.bind_contextvars(request=request)

        async def send_with_id(message: Message) -> None:
            nonlocal status, is_answered
            if message["type"] == "http.response.start":
                status, is_answered = message["status"], True
                MutableHeaders(scope=message)[REQUEST_ID] = request
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            # Beyond this middleware, the server would close the connection, which loses the request
            # that the client sends next.
            if is_answered:
                raise
            _log.exception("the request failed")
            error = {"error": "an error inside the service; its log has the details"}
            await JSONResponse(error, 500)(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            reason: Reason | None = None
            if status >= HTTPStatus.BAD_REQUEST:
                unknown = "failed" if status == HTTPStatus.INTERNAL_SERVER_ERROR else "other"
                reason = scope["state"].get("reason", unknown)
            self._metrics.record_request(status, reason, seconds)
            level = logging.INFO
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                busy = status == HTTPStatus.SERVICE_UNAVAILABLE
                level = logging.WARNING if busy else logging.ERROR
            facts = {"status": status, "milliseconds": round(1000 * seconds, 2)}
            _log.log(level, "answered", extra=facts | ({"reason": reason} if reason else {}))


def request_id(scope: Scope) -> str:
    """The caller's identifier of a request if it is safe to log, or else a new one."""
    state = scope.setdefault("state", {})
    if "request" not in state:
        given = Headers(scope=scope).get(REQUEST_ID, "")
        safe = re.fullmatch(r"[\w.:-]{1,128}", given, re.ASCII)
        state["request"] = given if safe else uuid.uuid4().hex
    return str(state["request"])


def arrival(scope: Scope) -> int:
    """When a request to the model began to arrive, as `time.time_ns` returns it."""
    return int(scope["state"]["started"])


def set_reason(scope: Scope, reason: Reason) -> None:
    """Record why a request gets no predictions."""
    scope.setdefault("state", {})["reason"] = reason
