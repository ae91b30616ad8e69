"""The prediction log: requests and their answers, with time and version.

A line of JSON for each request, a file for each day and process. Rows and predictions have met
their contracts. Labels are joined to it by request and row, and a challenger is replayed on it.
"""

import json
import logging
import socket
import threading
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import append_line

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoggedPrediction:
    """One request and its answer.

    Attributes:
        request: The request's identifier.
        at: When it was answered, in UTC.
        model: The registered model's name.
        version: The version that answered.
        rows: The rows, with the values in the types of the contract.
        predictions: A prediction for each row, in the same order.
    """

    request: str
    at: str
    model: str
    version: int
    rows: Sequence[Mapping[str, Any]]
    predictions: Sequence[Mapping[str, Any]]


class PredictionLog:
    """Appends to the log. It writes a line as a whole, or raises an error."""

    def __init__(self, folder: Path, share: float = 1.0) -> None:
        self._folder = folder
        self._share = share
        # Don't use the PID: in a container it is always 1, so we would append to the unfinished
        # line of a killed process.
        self._process = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._lock = threading.Lock()

    def samples(self, request: str) -> bool:
        """Whether a request belongs to the sample: always the same result for the same request."""
        return zlib.crc32(request.encode()) < self._share * 2**32

    def write(self, prediction: LoggedPrediction) -> None:
        """Append one line.

        Raises:
            OSError: It can't be written; the log is as it was.
        """
        rows = [
            {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
            for row in prediction.rows
        ]
        line = to_json(vars(prediction) | {"rows": rows}).decode()
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            append_line(self._folder / f"{prediction.at[:10]}.{self._process}.jsonl", line)


def read_log(folder: Path) -> Iterator[LoggedPrediction]:
    """Read a log, file by file.

    A line without an end was interrupted by the end of its process, before the answer was sent. It
    is skipped with a warning.

    Raises:
        HandoffError: A complete line is not a logged prediction.
    """
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith("\n"):
                    _log.warning("%s:%s is incomplete: skipped", file, number)
                    continue
                try:
                    yield LoggedPrediction(**json.loads(line))
                except (ValueError, TypeError) as error:
                    raise HandoffError(
                        f"{file}:{number} is not a logged prediction: remove that line."
                    ) from error


def log_timestamp() -> str:
    """The current time as the log writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
