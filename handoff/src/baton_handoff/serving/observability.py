"""Every request to the model as others see it: its name, how long it took, what became of it."""

import logging
import re
import time
import uuid
from http import HTTPStatus
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders

from baton_handoff.core.tracing import record_past_span
from baton_handoff.serving.asgi import App, Message, Receive, Send, is_prediction
from baton_handoff.serving.metrics import Reason
from baton_handoff.serving.prediction import PredictionService

_log = logging.getLogger(__name__)

REQUEST_ID = "X-Request-ID"


class ObservabilityMiddleware:
    """Names each request, and says afterwards what became of it: in figures, and in the log."""

    def __init__(self, app: App, serving: PredictionService) -> None:
        self._app = app
        self._metrics = serving.metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if not is_prediction(scope):
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        scope.setdefault("state", {})["began"] = time.time_ns()
        name = request_id_of(scope)
        structlog.contextvars.bind_contextvars(request=name)

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = name
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            seconds = time.perf_counter() - began
            reason = _reason(scope, status)
            self._metrics.answered(status, reason, seconds)
            why = {"reason": reason} if reason else {}
            facts = {"status": status, **why, "milliseconds": round(1000 * seconds, 2)}
            _log.log(_level(status), "answered", extra=facts)


def request_id_of(scope: Message) -> str:
    """The caller's name for a request if it is a decent one, or else one of ours."""
    state = scope.setdefault("state", {})
    if "name" not in state:
        given = Headers(scope=scope).get(REQUEST_ID, "")
        decent = re.fullmatch(r"[\w.:-]{1,128}", given, re.ASCII)
        state["name"] = given if decent else uuid.uuid4().hex
    name: str = state["name"]
    return name


def note_validation(scope: Message) -> None:
    """Note that a request has arrived as a whole, and that each of its rows was looked at."""
    record_past_span("validation", scope["state"]["began"])


def set_reason(scope: Message, reason: Reason) -> None:
    """Note why a request is not answered as its caller has wished."""
    scope.setdefault("state", {})["reason"] = reason


def _reason(scope: Message, status: int) -> Reason | None:
    if status < HTTPStatus.BAD_REQUEST:
        return None
    stated: Any = scope["state"].get("reason")
    return stated or ("failed" if status == HTTPStatus.INTERNAL_SERVER_ERROR else "other")


def _level(status: int) -> int:
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return logging.WARNING
    return logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
