"""How uvicorn runs the service, and what the log says when it answers."""

import logging
from collections.abc import Sequence
from typing import Any

import uvicorn

from baton_handoff.serving.impatient_protocol import ImpatientProtocol

_log = logging.getLogger(__name__)


def uvicorn_config(app: Any, **options: Any) -> uvicorn.Config:
    """How uvicorn runs the application."""
    return uvicorn.Config(
        app,
        http=ImpatientProtocol,
        log_config=None,  # `set_up_logs` has configured them
        log_level="warning",
        timeout_graceful_shutdown=30,
        reset_contextvars=True,
        **options,
    )


def log_start(sentences: Sequence[str], version: int) -> None:
    """Log that the service answers.

    Args:
        sentences: What to log; the first one has a place for the version.
        version: The version.
    """
    for sentence in sentences:
        _log.info("%s", sentence.replace("{version}", str(version)))
