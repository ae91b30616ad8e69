"""The logs of the service: lines to read at a terminal, JSON anywhere else.

Uvicorn, the project's own code and this package log through here, by `logging` or by structlog. No
line contains a value of a row.
"""

import logging
import traceback
from typing import TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, ExcInfo, Processor

from baton_handoff.core.tracing import current_trace_ids

_PACKAGE = __name__.partition(".")[0]


def set_up_logs(stream: TextIO) -> None:
    """Send all logs of this process to one stream.

    Lines that are logged while a request is answered contain the request's identifier.

    Args:
        stream: A terminal gets lines to read, anything else a line of JSON each.
    """
    terminal = stream.isatty()
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper("%H:%M:%S" if terminal else "iso", utc=not terminal),
        structlog.processors.ExceptionRenderer(exception_location),
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer()
        if terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger(_PACKAGE).setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    first, last = structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter
    structlog.configure(
        processors=[first, *processors, last],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _add_trace(_: object, __: str, line: EventDict) -> EventDict:
    line.update(current_trace_ids())
    return line


def exception_location(exc_info: ExcInfo) -> str:
    """Render an error by class and place, without its message: that may quote a row."""
    kind, error, place = exc_info
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    first = exception_location((type(cause), cause, cause.__traceback__)) + "\n" if cause else ""
    return first + "".join(traceback.format_tb(place)) + kind.__qualname__
