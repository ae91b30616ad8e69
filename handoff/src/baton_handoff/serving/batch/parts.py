"""A target that is written part by part, goes on where a run was broken off, and appears whole."""

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
from baton_handoff.core.files import replace_atomically
from baton_handoff.serving.batch.rows import REASON


@dataclass(frozen=True)
class Scored:
    """What became of the rows of a file.

    Attributes:
        to: Where the rows are that were scored.
        rows: How many they are.
        reasons: For each reason the number of rows that were rejected for it.
    """

    to: Path
    rows: int
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """How many rows the contract refuses."""
        return self.reasons.total()

    def __str__(self) -> str:
        said = [f"{self.rows:,} rows scored: {self.to}"]
        if self.rejected:
            said.append(f"{self.rejected:,} rows rejected: {rejected_path(self.to)}")
        common = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
        said += [f"  {times:,} because of {why}" for why, times in common[:3]]
        return "\n".join(said)


def rejected_path(to: Path) -> Path:
    """Where the rejected rows go."""
    return to.with_name(f"{to.name.removesuffix('.parquet')}.rejected.parquet")


class Parts:
    """The parts of a target that are finished, in a folder beside it.

    Attributes:
        done: How many there are; they are the first ones.
    """

    def __init__(self, to: Path, scored: pa.Schema, rejected: pa.Schema, count: int) -> None:
        self.to = to
        self.folder = to.with_name(f".{to.name}.parts")
        self.done = 0
        self._schemas = {"scored": scored, "rejected": rejected}
        self._count = count
        self._state = self.folder / "made-of.json"

    def __str__(self) -> str:
        return f"{self.done:,} of {self._count:,} parts"

    def begin(self, made_of: Mapping[str, object]) -> None:
        """Go on after the parts that are there if they were made of the same, else begin anew."""
        try:
            before = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # it is written first and removed first: no parts
            before = {}
        if before == made_of:
            missing = (n for n in range(self._count) if not self._file(n, "scored").exists())
            self.done = next(missing, self._count)
            if self.done:
                _say(f"{self.to}: going on after {self}, which an earlier run has left.")
            return
        if before:
            other = " and ".join(name for name in made_of if before.get(name) != made_of[name])
            _say(f"{self.to}: beginning anew, an earlier run was broken off with another {other}.")
        with self.writing():
            for file in self.folder.glob("*.parquet*"):
                file.unlink()
            with replace_atomically(self._state) as unfinished:
                unfinished.write_text(json.dumps(made_of), encoding="utf-8")

    def add(self, scored: pa.Table, rejected: pa.Table) -> None:
        """Write the next part; the rows that were scored come last and finish it."""
        with self.writing():
            for kind, table in (("rejected", rejected), ("scored", scored)):
                self._write(self._file(self.done, kind), kind, [table])
        self.done += 1

    def finish(self) -> Scored:
        """Put the parts together and in their places."""
        rows, reasons = 0, Counter[str]()
        for number in range(self._count):
            rows += parquet.read_metadata(self._file(number, "scored")).num_rows
            why = parquet.read_table(self._file(number, "rejected"), columns=[REASON])
            reasons.update(why[REASON].to_pylist())
        with self.writing():
            for kind in self._schemas:
                files = [self._file(number, kind) for number in range(self._count)]
                self._write(self.folder / kind, kind, map(parquet.read_table, files))
            if reasons:
                (self.folder / "rejected").replace(rejected_path(self.to))
            else:
                rejected_path(self.to).unlink(missing_ok=True)
            (self.folder / "scored").replace(self.to)
            self._state.unlink()
        self.done = 0
        return Scored(self.to, rows, reasons)

    def broken_off(self, why: object) -> HandoffError:
        """What to say where the target can't be finished."""
        kept = f" {self} are kept: the same command goes on from there." if self.done else ""
        return HandoffError(f"{self.to} is not written: {why}.{kept}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Say in a sentence that a disk is full, or whatever else keeps a file from being written.

        Raises:
            HandoffError: Something does.
        """
        try:
            yield
        except OSError as error:
            raise self.broken_off(error.strerror or error) from error

    def _file(self, number: int, kind: str) -> Path:
        return self.folder / f"{number:05}.{kind}.parquet"

    def _write(self, file: Path, kind: str, tables: Iterable[pa.Table]) -> None:
        with replace_atomically(file) as unfinished, unfinished.open("wb") as sink:
            with parquet.ParquetWriter(sink, self._schemas[kind]) as writer:
                for table in tables:
                    writer.write_table(table)
            sink.flush()
            os.fsync(sink.fileno())


@contextmanager
def exclusive_run(parts: Parts) -> Iterator[None]:
    """Keep other runs away from the target; parts that are finished stay for the next one.

    Raises:
        HandoffError: Another run is at it, it can't be written, or this one was interrupted.
    """
    lock = FileLock(parts.folder / "lock")
    with parts.writing():
        parts.folder.mkdir(exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise HandoffError(
                f"{parts.to} is being written by another run: wait for it, or name another file."
            ) from None
    try:
        yield
    except KeyboardInterrupt:
        raise parts.broken_off("interrupted") from None
    finally:
        if not parts.done:
            shutil.rmtree(parts.folder, ignore_errors=True)
        lock.release()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
