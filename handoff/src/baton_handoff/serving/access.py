"""Who may ask for what: closed pages, an internal port for them, and an optional token.

The token comes from the environment or from a file, as a secret does, never from `handoff.toml`.
"""

import hmac
import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from baton_handoff.config.settings import ServiceSettings
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.serving.observability import set_reason
from baton_handoff.serving.prediction import PredictionService

INTERNAL_PORT = "HANDOFF_INTERNAL_PORT"
"""The variable that overrides `internal_port` of `[service]`."""

TOKEN, TOKEN_FILE = "HANDOFF_SERVICE_TOKEN", "HANDOFF_SERVICE_TOKEN_FILE"
"""The variables with the accepted tokens, and with the file that contains them."""

_PAGES = {
    "docs": ("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"),
    "metrics": ("/metrics",),
    "version": ("/version",),
}
"""The addresses of each page that can be closed."""

_OPEN = ("/healthz", "/readyz")
"""What whoever runs the service asks without a token."""


def internal_port(settings: ServiceSettings) -> int | None:
    """The port on which alone the pages are shown, None for no such port.

    Raises:
        UsageError: The variable is no port.
    """
    text = os.environ.get(INTERNAL_PORT, "")
    if text and not (text.isdecimal() and int(text) < 2**16):
        raise UsageError(f"{INTERNAL_PORT} must be a port, 0 for any free one, not {text!r}.")
    return int(text) if text else settings.internal_port


def accepted_tokens() -> tuple[bytes, ...]:
    """The tokens of the environment, one of which each request must have; empty for none.

    Several are separated by white space, so that a new one can be introduced before the old one
    is removed.

    Raises:
        HandoffError: A variable is set, and there is no token in it or in its file.
    """
    found: list[bytes] = []
    for variable in (TOKEN, TOKEN_FILE):
        text = os.environ.get(variable)
        if text is None:
            continue
        if variable == TOKEN_FILE:
            try:
                text = Path(text).read_text(encoding="utf-8")
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "it is not UTF-8"
                raise HandoffError(
                    f"The file that {variable} names can't be read ({reason}): correct the"
                    " variable, or unset it to serve without a token."
                ) from error
        if not text.split():
            raise HandoffError(
                f"{variable} is set and contains no token: set one, or unset the variable to serve"
                " without a token."
            )
        found += (token.encode() for token in text.split())
    return tuple(found)


class AccessMiddleware:
    """Refuses requests for pages that are not shown on their port, and those without a token.

    Args:
        app: The application.
        serving: The service; its `settings`, `tokens` and `internal_port` decide.
    """

    def __init__(self, app: ASGIApp, serving: PredictionService) -> None:
        self._app = app
        self._serving = serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        answer: ASGIApp = self._app
        if scope["type"] == "http":
            if not self._is_shown(scope):
                answer = JSONResponse({"detail": "Not Found"}, 404)
            elif not self._has_token(scope):
                set_reason(scope, "unauthorized")
                error = {"error": "a request needs the header Authorization: Bearer TOKEN"}
                answer = JSONResponse(error, 401, {"WWW-Authenticate": "Bearer"})
        await answer(scope, receive, send)

    def _is_shown(self, scope: Scope) -> bool:
        page = next((name for name, paths in _PAGES.items() if scope["path"] in paths), None)
        if page is None:
            return True
        if page in self._serving.settings.closed:
            return False
        internal = self._serving.internal_port
        _, port = scope.get("server") or (None, None)
        return internal in (None, port)

    def _has_token(self, scope: Scope) -> bool:
        if not self._serving.tokens or scope["path"] in _OPEN:
            return True
        kind, _, given = Headers(scope=scope).get("Authorization", "").partition(" ")
        token = given.strip().encode("latin-1")
        # All are compared, so that the time does not tell which one is similar.
        known = [hmac.compare_digest(token, one) for one in self._serving.tokens]
        return kind.lower() == "bearer" and any(known)
