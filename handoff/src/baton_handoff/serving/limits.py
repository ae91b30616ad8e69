"""What a request may cost: the length of its body, its place in the queue, its time."""

import asyncio

from starlette.responses import JSONResponse

from baton_handoff.serving.asgi import App, Message, Receive, Send, is_prediction
from baton_handoff.serving.metrics import Reason
from baton_handoff.serving.observability import set_reason
from baton_handoff.serving.prediction import PredictionService

RETRY_AFTER = {"Retry-After": "1"}


class RequestTooLongError(Exception):
    """The body is longer than a service reads."""


class LimitsMiddleware:
    """Refuses what would be too much, before it costs anything."""

    def __init__(self, app: App, serving: PredictionService) -> None:
        self._app = app
        self._serving = serving
        self._metrics = serving.metrics
        self._within = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if not is_prediction(scope):
            await self._app(scope, receive, send)
            return
        self._within += 1
        self._metrics.waiting.set(self._within)
        try:
            if self._within > self._serving.settings.queue:
                await _come_back("busy", scope, receive, send)
            else:
                await self._within_time(scope, receive, send)
        finally:
            self._within -= 1
            self._metrics.waiting.set(self._within)

    async def _within_time(self, scope: Message, receive: Receive, send: Send) -> None:
        length, begun = 0, False
        most = self._serving.settings.largest_request_bytes

        async def bounded() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > most:
                raise RequestTooLongError
            return message

        async def unless_too_long(message: Message) -> None:
            nonlocal begun
            if length <= most:  # whoever read too much may have made something else of it
                begun = True
                await send(message)

        try:
            async with asyncio.timeout(self._serving.settings.timeout_seconds):
                await self._app(scope, bounded, unless_too_long)
        except RequestTooLongError:
            pass
        except TimeoutError:
            if not begun:
                await _come_back("timeout", scope, receive, send)
        if length > most:
            set_reason(scope, "too_long")
            said = f"the request is longer than {most:.0f} bytes: send its rows in several"
            await JSONResponse({"error": said}, 413)(scope, receive, send)


async def _come_back(why: Reason, scope: Message, receive: Receive, send: Send) -> None:
    set_reason(scope, why)
    answer = JSONResponse({"error": "the service is busy: ask again later"}, 503, RETRY_AFTER)
    await answer(scope, receive, send)
