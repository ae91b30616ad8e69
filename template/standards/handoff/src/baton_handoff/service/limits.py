"""What a request may cost: the length of its body, its place in the queue, its time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from starlette.responses import JSONResponse

from baton_handoff.service.serving import Serving

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
_App: TypeAlias = Callable[[_Message, _Receive, _Send], Awaitable[None]]

RETRY_AFTER = {"Retry-After": "1"}


class TooLong(Exception):  # noqa: N818 (what it is)
    """The body is longer than a service reads."""


class Limits:
    """Refuses what would be too much, before it costs anything; counts what it lets through."""

    def __init__(self, app: _App, serving: Serving) -> None:
        self._app = app
        self._serving = serving
        self._metrics = serving.metrics
        self._within = 0

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http" or scope["path"] != "/predict":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def note(message: _Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._within += 1
        self._metrics.waiting.set(self._within)
        try:
            if self._within > self._serving.settings.queue:
                await _busy(scope, receive, note)
            else:
                await self._within_time(scope, receive, note)
        finally:
            self._within -= 1
            self._metrics.waiting.set(self._within)
            self._metrics.requests.labels(str(status)).inc()
            self._metrics.seconds.observe(time.perf_counter() - began)

    async def _within_time(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        length, begun = 0, False
        most = self._serving.settings.largest_request_bytes

        async def bounded() -> _Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > most:
                raise TooLong
            return message

        async def unless_too_long(message: _Message) -> None:
            nonlocal begun
            if length <= most:  # whoever read too much may have made something else of it
                begun = True
                await send(message)

        try:
            async with asyncio.timeout(self._serving.settings.timeout_seconds):
                await self._app(scope, bounded, unless_too_long)
        except TooLong:
            pass
        except TimeoutError:
            if not begun:
                await _busy(scope, receive, send)
        if length > most:
            said = f"the request is longer than {most:.0f} bytes: send its rows in several"
            await JSONResponse({"error": said}, 413)(scope, receive, send)


async def _busy(scope: _Message, receive: _Receive, send: _Send) -> None:
    answer = JSONResponse({"error": "the service is busy: ask again later"}, 503, RETRY_AFTER)
    await answer(scope, receive, send)
