"""Middleware that limits what a request may cost: length of the body, place in the queue, time."""

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from baton_handoff.serving.metrics import Reason
from baton_handoff.serving.observability import is_prediction, set_reason
from baton_handoff.serving.prediction import PredictionService


class RequestTooLongError(Exception):
    """The body is longer than the limit."""


class LimitsMiddleware:
    """Refuses a request that exceeds a limit, before it costs anything."""

    def __init__(self, app: ASGIApp, serving: PredictionService) -> None:
        self._app = app
        self._serving = serving
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if not is_prediction(scope):
            await self._app(scope, receive, send)
            return
        self._active += 1
        self._serving.metrics.waiting.set(self._active)
        try:
            if self._active > self._serving.settings.queue:
                await _refuse_as_busy("busy", scope, receive, send)
            else:
                await self._answer_within_limits(scope, receive, send)
        finally:
            self._active -= 1
            self._serving.metrics.waiting.set(self._active)

    async def _answer_within_limits(self, scope: Scope, receive: Receive, send: Send) -> None:
        length, started = 0, False
        limit = self._serving.settings.largest_request_bytes

        async def receive_up_to_limit() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > limit:
                raise RequestTooLongError
            return message

        async def send_unless_too_long(message: Message) -> None:
            nonlocal started
            if length <= limit:  # the application may have turned the error into an answer
                started = True
                await send(message)

        try:
            async with asyncio.timeout(self._serving.settings.timeout_seconds):
                await self._app(scope, receive_up_to_limit, send_unless_too_long)
        except RequestTooLongError:
            pass
        except TimeoutError:
            if not started:
                await _refuse_as_busy("timeout", scope, receive, send)
        if length > limit:
            set_reason(scope, "too_long")
            error = f"the request is longer than {limit:.0f} bytes: send its rows in several"
            await JSONResponse({"error": error}, 413)(scope, receive, send)


async def _refuse_as_busy(reason: Reason, scope: Scope, receive: Receive, send: Send) -> None:
    set_reason(scope, reason)
    error = {"error": "the service is busy: try again later"}
    await JSONResponse(error, 503, {"Retry-After": "1"})(scope, receive, send)
