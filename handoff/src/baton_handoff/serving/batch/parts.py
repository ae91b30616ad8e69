"""The target of batch scoring, and its parts, with which an interrupted run can be continued."""

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout
from pyarrow import parquet

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import replace_atomically, write_atomically
from baton_handoff.serving.batch.rows import REASON, ROW, BatchInterface

_PLAIN = {"compression": "none", "use_dictionary": False, "write_statistics": False}
"""How parts are written: they are read once at most."""


@dataclass(frozen=True)
class Scored:
    """The result of batch scoring.

    Attributes:
        to: The file with the rows that were scored.
        rows: The number of these rows.
        reasons: The number of rejected rows by reason.
    """

    to: Path
    rows: int
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """The number of rows that were rejected."""
        return self.reasons.total()

    def __str__(self) -> str:
        lines = [f"{self.rows:,} rows scored: {self.to}"]
        if self.rejected:
            lines.append(f"{self.rejected:,} rows rejected: {rejected_path(self.to)}")
        by_count = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
        lines += [f"  {count:,} because of {reason}" for reason, count in by_count[:3]]
        return "\n".join(lines)


def rejected_path(to: Path) -> Path:
    """The file for the rejected rows."""
    return to.with_name(f"{to.name.removesuffix('.parquet')}.rejected.parquet")


class Parts:
    """The target of a run, and the predictions of its finished parts, in a folder beside it.

    Attributes:
        done: How many parts are finished; they are the first ones.
    """

    def __init__(self, to: Path, interface: BatchInterface, count: int) -> None:
        self.done = 0
        self._to = to
        self._folder = to.with_name(f".{to.name}.parts")
        self._schemas = {"scored": interface.scored, "rejected": interface.rejected}
        self._predicted = interface.scored.names[len(interface.columns) :]
        self._count = count
        self._rows, self._reasons = 0, Counter[str]()
        self._writers: dict[str, parquet.ParquetWriter] = {}
        self._state = self._folder / "made-of.json"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other runs away from the target. Finished parts stay for the next run.

        Raises:
            HandoffError: Another run has the lock, the folder can't be written, or this run was
                interrupted.
        """
        lock = FileLock(self._folder / "lock")
        with self._write_errors():
            self._folder.mkdir(exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise HandoffError(
                    f"Another run is writing {self._to}: wait for it, or write to another file."
                ) from None
        try:
            yield
        except KeyboardInterrupt:
            raise self._unfinished("interrupted") from None
        finally:
            if not self.done:
                shutil.rmtree(self._folder, ignore_errors=True)
            lock.release()

    def start(self, made_of: Mapping[str, object]) -> None:
        """Continue after the parts of an earlier run if it was made of the same, else start anew.

        Args:
            made_of: What decides about the content of the target.
        """
        try:
            earlier = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # it is written first and removed first: no parts
            earlier = {}
        if earlier == made_of:
            missing = (n for n in range(self._count) if not self._file(n, "scored").exists())
            self.done = next(missing, self._count)
            if self.done:
                self._report(f"continuing after {self._progress()} of an interrupted run.")
            return
        if earlier:
            other = " and ".join(name for name in made_of if earlier.get(name) != made_of[name])
            self._report(f"starting anew, the interrupted run had another {other}.")
        with self._write_errors():
            for file in self._folder.glob("*.parquet*"):
                file.unlink()
            write_atomically(self._state, json.dumps(made_of))

    @contextmanager
    def target(self) -> Iterator[None]:
        """Write the files of the target; with the end of the block they move to their places."""
        with self._write_errors():
            with ExitStack() as stack:
                for kind, schema in self._schemas.items():
                    writer = stack.enter_context(_writer(self._folder / kind, schema))
                    self._writers[kind] = writer
                yield
            if self._reasons:
                (self._folder / "rejected").replace(rejected_path(self._to))
            else:
                rejected_path(self._to).unlink(missing_ok=True)
            (self._folder / "scored").replace(self._to)
            self._state.unlink()
        self.done = 0

    def add(self, scored: pa.Table, rejected: pa.Table) -> None:
        """Write the next part, and keep its predictions; its rows are in the file that is read."""
        with self._write_errors():
            self._write(scored, rejected)
            # A part counts as finished once its predictions are there, so these come last.
            for kind, table in (("rejected", rejected), ("scored", scored.select(self._predicted))):
                with (
                    replace_atomically(self._file(self.done, kind)) as unfinished,
                    _writer(unfinished, table.schema, **_PLAIN) as writer,
                ):
                    writer.write_table(table)
        self.done += 1

    def restore(self, number: int, table: pa.Table, rows: pa.Array) -> None:
        """Write a finished part as an earlier run has scored it.

        Args:
            number: The number of the part.
            table: Its rows.
            rows: Their positions in the file.
        """
        rejected = parquet.read_table(self._file(number, "rejected"))
        predicted = parquet.read_table(self._file(number, "scored"), columns=self._predicted)
        kept = table.filter(pc.invert(pc.is_in(rows, rejected[ROW])))
        scored = pa.table([*kept.columns, *predicted.columns], schema=self._schemas["scored"])
        with self._write_errors():
            self._write(scored, rejected)

    def result(self) -> Scored:
        """What was written."""
        return Scored(self._to, self._rows, self._reasons)

    def _write(self, scored: pa.Table, rejected: pa.Table) -> None:
        self._writers["scored"].write_table(scored)
        self._writers["rejected"].write_table(rejected)
        self._rows += len(scored)
        self._reasons.update(rejected[REASON].to_pylist())

    def _file(self, number: int, kind: str) -> Path:
        return self._folder / f"{number:05}.{kind}.parquet"

    @contextmanager
    def _write_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._unfinished(error.strerror or error) from error

    def _unfinished(self, reason: object) -> HandoffError:
        kept = f" {self._progress()} are kept: run the command again to continue."
        return HandoffError(f"{self._to} is not written: {reason}.{kept if self.done else ''}")

    def _progress(self) -> str:
        return f"{self.done:,} of {self._count:,} parts"

    def _report(self, text: str) -> None:
        print(f"{self._to}: {text}", file=sys.stderr)


@contextmanager
def _writer(file: Path, schema: pa.Schema, **options: Any) -> Iterator[parquet.ParquetWriter]:
    with file.open("wb") as sink:
        with parquet.ParquetWriter(sink, schema, **options) as writer:
            yield writer
        sink.flush()
        os.fsync(sink.fileno())
