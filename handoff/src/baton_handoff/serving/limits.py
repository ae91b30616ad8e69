"""Middleware that limits what a request may cost: length of the body, place in the queue, time."""

import asyncio
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from baton_handoff.serving.metrics import Reason
from baton_handoff.serving.observability import is_prediction, set_reason
from baton_handoff.serving.prediction import PredictionService


class _RequestTooLongError(Exception):
    """The body is longer than the limit."""


class _DisconnectedError(Exception):
    """The client has left before its request was complete."""


class LimitsMiddleware:
    """Refuses a request that exceeds a limit, before it costs anything.

    A request takes a place in the queue when it is complete: a slow client keeps nobody away.
    """

    def __init__(self, app: ASGIApp, serving: PredictionService) -> None:
        self._app = app
        self._serving = serving
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        settings = self._serving.settings
        if not is_prediction(scope):
            await self._app(scope, receive, send)
            return
        end = asyncio.get_running_loop().time() + settings.timeout_seconds
        limit = settings.largest_request_bytes
        refuse = _Refusal(scope, receive, send)
        try:
            async with asyncio.timeout_at(end):
                body = await _body(receive, limit)
        except _RequestTooLongError:
            error = f"the request is longer than {limit:.0f} bytes: send its rows in several"
            await refuse("too_long", 413, error)
        except (TimeoutError, _DisconnectedError):
            error = f"the request did not arrive within {settings.timeout_seconds:g} seconds"
            await refuse("incomplete", 408, error, Connection="close")
        else:
            if self._active >= settings.queue:
                await refuse.as_busy("busy")
                return
            self._count(1)
            try:
                await self._answer(scope, _replayed(body, receive), refuse, end)
            finally:
                self._count(-1)

    def _count(self, change: int) -> None:
        self._active += change
        self._serving.metrics.waiting.set(self._active)

    async def _answer(self, scope: Scope, receive: Receive, refuse: "_Refusal", end: float) -> None:
        started = False

        async def send(message: Message) -> None:
            nonlocal started
            started = True
            await refuse.send(message)

        try:
            async with asyncio.timeout_at(end):
                await self._app(scope, receive, send)
        except TimeoutError:
            if not started:
                await refuse.as_busy("timeout")


class _Refusal:
    """Answers one request with an error."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self.send = scope, receive, send

    async def __call__(self, reason: Reason, status: int, error: str, **headers: str) -> None:
        set_reason(self._scope, reason)
        answer = JSONResponse({"error": error}, status, headers)
        await answer(self._scope, self._receive, self.send)

    async def as_busy(self, reason: Reason) -> None:
        error = "the service is busy: try again later"
        await self(reason, 503, error, **{"Retry-After": "1"})


async def _body(receive: Receive, limit: float) -> bytes:
    body = bytearray()
    while True:
        message: dict[str, Any] = dict(await receive())
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        body += message.get("body", b"")
        if len(body) > limit:
            raise _RequestTooLongError
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns a body which has arrived."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        return next(messages, None) or await receive()

    return replay
