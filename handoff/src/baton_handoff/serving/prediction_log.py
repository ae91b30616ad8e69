"""The prediction log: requests and their answers, with time and version.

A line of JSON for each request, a file for each day and process, or several if its size is limited.
Rows and predictions have met their contracts. Labels are joined to it by request and row, and a
challenger is replayed on it.
"""

import json
import logging
import math
import socket
import threading
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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


_FILES = 100
"""How many files a log of limited size has about: the oldest are deleted as a whole."""


class PredictionLog:
    """Appends to the log. It writes a line as a whole, or raises an error.

    Args:
        folder: The folder of the log.
        share: The share of requests that belong to the sample.
        days: How many days to keep, None for all.
        size: About how many bytes to keep, None for all.
    """

    def __init__(
        self,
        folder: Path,
        share: float = 1.0,
        days: float | None = None,
        size: float | None = None,
    ) -> None:
        self._folder = folder
        self._share = share
        self._days, self._size = days, size
        self._file: Path | None = None
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
        line = to_json(vars(prediction)).decode()
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            append_line(self._file_for(prediction.at[:10], len(line)), line)

    def _file_for(self, day: str, length: int) -> Path:
        """The file for a line. When it is another one than before, old files are deleted."""
        file = self._file
        if file is None or not file.name.startswith(day):
            file = self._folder / f"{day}.{self._process}.jsonl"
        largest = math.inf if self._size is None else self._size / _FILES
        if file == self._file and file.exists() and file.stat().st_size + length > largest:
            number = int(file.stem.partition("+")[2] or 0) + 1
            file = self._folder / f"{day}.{self._process}+{number}.jsonl"
        if file != self._file:
            self._file = file
            try:
                self._delete_old(day)
            except OSError as error:  # a request is not lost for it
                _log.error("old files of the prediction log can't be deleted: %s", error)
        return file

    def _delete_old(self, day: str) -> None:
        """Delete what is beyond the limits; other processes may do so at the same time."""
        if self._days is None and self._size is None:
            return
        first, room = "", math.inf
        if self._days is not None:
            first = (date.fromisoformat(day) - timedelta(days=self._days)).isoformat()
        if self._size is not None:
            room = self._size * (1 - 1 / _FILES)  # for the file that begins
        files = []
        for file in self._folder.glob("*.jsonl"):
            with suppress(FileNotFoundError):
                status = file.stat()
                files.append((file.name[:10], status.st_mtime, status.st_size, file))
        for of_day, _, size, file in sorted(files, reverse=True):
            room -= size
            if of_day < first or room < 0:
                file.unlink(missing_ok=True)


def read_log(folder: Path) -> Iterator[LoggedPrediction]:
    """Read a log, file by file.

    A line without an end was interrupted by the end of its process, before the answer was sent. It
    is skipped with a warning.

    Raises:
        HandoffError: A complete line is not a logged prediction.
    """
    for file in sorted(folder.glob("*.jsonl")):
        # The service may have deleted it since, because it is old.
        with suppress(FileNotFoundError), file.open(encoding="utf-8") as lines:
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
