"""The prediction log: what was asked, what was answered, by which version, when.

Append-only, a line of JSON for each request, a file for each day and process. Rows and predictions
have met their contracts before they are written. It is where the truth can be joined later, by
request and row, and what a challenger is replayed on.
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

from baton_handoff.core.errors import HandoffError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoggedPrediction:
    """One request and its answer.

    Attributes:
        request: The request's identifier.
        at: When it was answered, in UTC.
        model: The registered model's name.
        version: The version that answered.
        rows: The rows, as they were understood.
        predictions: A prediction for each row, in the same order.
    """

    request: str
    at: str
    model: str
    version: int
    rows: Sequence[Mapping[str, Any]]
    predictions: Sequence[Mapping[str, Any]]


class PredictionLog:
    """Appends to the log. A record is written whole or not at all, and never lost unseen."""

    def __init__(self, folder: Path, share: float = 1.0) -> None:
        self._folder = folder
        self._share = share
        # Not its number: in a container that is always 1, and what a killed one has left without
        # an end would get this one's line for an end.
        self._process = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self._lock = threading.Lock()

    def keeps(self, request: str) -> bool:
        """Whether a request is in the sample: always the same answer for the same request."""
        return zlib.crc32(request.encode()) < self._share * 2**32

    def write(self, record: LoggedPrediction) -> None:
        """Append one record.

        Raises:
            OSError: It can't be written; the log is as it was.
        """
        line = json.dumps(vars(record), default=_plain, separators=(",", ":")) + "\n"
        file = self._folder / f"{record.at[:10]}.{self._process}.jsonl"
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Without a buffer: closing would try to write what is left in it once more.
            with file.open("ab", buffering=0) as opened:
                before = opened.tell()
                left = memoryview(line.encode())
                try:
                    while left:  # a full disk takes the beginning of a line
                        left = left[opened.write(left) :]
                except OSError:
                    opened.truncate(before)
                    raise


def read_log(folder: Path) -> Iterator[LoggedPrediction]:
    """The records of a log, file by file.

    A line without an end was being written when its process was killed: its answer never left. It
    is passed over, with a warning.

    Raises:
        HandoffError: A whole line is no record.
    """
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith("\n"):
                    _log.warning("%s:%s was never written to its end: passed over", file, number)
                    continue
                try:
                    yield LoggedPrediction(**json.loads(line))
                except (ValueError, TypeError) as error:
                    raise HandoffError(
                        f"{file}:{number} is no record of a prediction: take that line out."
                    ) from error


def utc_timestamp() -> str:
    """This moment, as the log writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _plain(value: object) -> str:
    """What JSON has no word for: moments."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the log")
