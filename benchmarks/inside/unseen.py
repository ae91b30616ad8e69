"""The service without metrics, logs and traces, to measure their cost."""

import logging
import sys
from typing import Any

from baton_handoff.cli import main
from baton_handoff.serving import app
from baton_handoff.serving.distribution import Distribution


class Unseen:
    """Replaces the middleware that observes each request."""

    def __init__(self, app: Any, **_: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["started"] = 0
        await self.app(scope, receive, send)


app.ObservabilityMiddleware = Unseen
Distribution.observe = lambda *_: None
logging.disable()
sys.exit(main(["serve", "--port", sys.argv[1]]))
