"""What the service says of itself: to people at a terminal, and as JSON to everything else.

Whoever logs, by `logging` or by structlog, is heard here: uvicorn and the project's own code as
well as this package. No line holds a value of a row.
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
    """Send everything that this process says one way.

    What code says while it answers a request carries the request's name.

    Args:
        stream: Where to; a terminal gets lines to read, anything else a line of JSON each.
    """
    terminal = stream.isatty()
    known: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper("%H:%M:%S" if terminal else "iso", utc=not terminal),
        structlog.processors.ExceptionRenderer(exception_location),
    ]
    shown: Processor = (
        structlog.dev.ConsoleRenderer()
        if terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=known, processors=[ProcessorFormatter.remove_processors_meta, shown]
        )
    )
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger(_PACKAGE).setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *known,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _trace(_: object, __: str, line: EventDict) -> EventDict:
    """The trace that the line belongs to, if there is one."""
    line.update(current_trace_ids())
    return line


def exception_location(exc_info: ExcInfo) -> str:
    """An error as a log may hold it: what kind it is of and where it was raised.

    Not its message, which may quote a row.
    """
    kind, error, where = exc_info
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    first = (
        exception_location((type(before), before, before.__traceback__)) + "\n" if before else ""
    )
    return first + "".join(traceback.format_tb(where)) + kind.__qualname__
