"""The target of batch scoring: written in parts, so that an interrupted run can be continued."""

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from filelock import FileLock, Timeout
from pyarrow import parquet

from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import replace_atomically, write_atomically
from baton_handoff.serving.batch.rows import REASON


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
    """The finished parts of a target, in a folder beside it.

    Attributes:
        done: How many parts are finished; they are the first ones.
    """

    def __init__(self, to: Path, scored: pa.Schema, rejected: pa.Schema, count: int) -> None:
        self.done = 0
        self._to = to
        self._folder = to.with_name(f".{to.name}.parts")
        self._schemas = {"scored": scored, "rejected": rejected}
        self._count = count
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

    def add(self, scored: pa.Table, rejected: pa.Table) -> None:
        """Write the next part."""
        with self._write_errors():
            # A part counts as finished once its scored rows are there, so these come last.
            for kind, table in (("rejected", rejected), ("scored", scored)):
                self._write(self._file(self.done, kind), kind, [table])
        self.done += 1

    def finish(self) -> Scored:
        """Join the parts, and move them to their places."""
        rows, reasons = 0, Counter[str]()
        for number in range(self._count):
            rows += parquet.read_metadata(self._file(number, "scored")).num_rows
            rejected = parquet.read_table(self._file(number, "rejected"), columns=[REASON])
            reasons.update(rejected[REASON].to_pylist())
        with self._write_errors():
            for kind in self._schemas:
                files = [self._file(number, kind) for number in range(self._count)]
                self._write(self._folder / kind, kind, map(parquet.read_table, files))
            if reasons:
                (self._folder / "rejected").replace(rejected_path(self._to))
            else:
                rejected_path(self._to).unlink(missing_ok=True)
            (self._folder / "scored").replace(self._to)
            self._state.unlink()
        self.done = 0
        return Scored(self._to, rows, reasons)

    def _file(self, number: int, kind: str) -> Path:
        return self._folder / f"{number:05}.{kind}.parquet"

    def _write(self, file: Path, kind: str, tables: Iterable[pa.Table]) -> None:
        with replace_atomically(file) as unfinished, unfinished.open("wb") as sink:
            with parquet.ParquetWriter(sink, self._schemas[kind]) as writer:
                for table in tables:
                    writer.write_table(table)
            sink.flush()
            os.fsync(sink.fileno())

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
