"""Batch scoring: the registered model over a file of any size."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet
from tqdm import tqdm

from baton_handoff.contracts import Contract, canonical_form
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import span
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.batch.keys import duplicate_mask, find_duplicates
from baton_handoff.serving.batch.parts import Parts, Scored, exclusive_run, rejected_path
from baton_handoff.serving.batch.rows import FILE, ROW, batch_interface, score_rows

__all__ = ["Scored", "score_file"]


def score_file(
    loaded: Loaded, input_schema: Contract, output_schema: Contract, file: Path, to: Path
) -> Scored:
    """Predict for every row of a Parquet file and write them with their predictions.

    Rows that the contract refuses go to `<to>.rejected.parquet`, with their place in the file and
    the reason. A run that was broken off goes on after its last finished part if file, model and
    contracts are the same.

    Args:
        loaded: The model version.
        input_schema: Its input contract; the file has exactly its columns.
        output_schema: Its output contract.
        file: The Parquet file to read.
        to: The Parquet file to write: the rows and their predictions, in the order of the file. It
            appears only once it is complete.

    Raises:
        HandoffError: The file can't be read or its columns are not the contract's; the model's
            answer breaks its own contract; the target can't be written. There is no target then;
            finished parts are kept beside it for the next run.
    """
    if any(file.resolve() == place.resolve() for place in (to, rejected_path(to))):
        raise HandoffError(f"{file} would be written over: name another file to write.")
    if to.is_dir():
        raise HandoffError(f"{to} is a folder: name a file to write.")
    if not file.is_file():
        raise HandoffError(f"There is no file {file}.")
    stamp = _stamp(file)
    with _opened(file) as source:
        interface = batch_interface(input_schema, output_schema, source.schema_arrow, file)
        made_of = {
            "file": [file.name, _content(file)],
            "model": f"{loaded.model} {loaded.version} {loaded.code}",
            "contract": _digest([canonical_form(input_schema), canonical_form(output_schema)]),
            "size of parts": interface.part,
        }
        total = source.metadata.num_rows
        parts = Parts(to, interface.scored, interface.rejected, -(-total // interface.part))
        with exclusive_run(parts):
            parts.begin(made_of)
            tables = partial(_tables, source, file, interface.part)
            found = [
                (
                    rule,
                    find_duplicates(
                        total, partial(tables, pa.schema(map(interface.given.field, key)))
                    ),
                )
                for rule, key in interface.keys.items()
            ]
            # Without a terminal there is no bar: logs are not watched.
            with tqdm(total=total, unit=" rows", unit_scale=True, disable=None) as bar:
                for number, table in enumerate(tables(interface.given)):
                    if number >= parts.done:
                        first = number * interface.part
                        places = _places(file.name, first, len(table))
                        again = {
                            rule: duplicate_mask(rows, first, len(table)) for rule, rows in found
                        }
                        with span("part", number=number, rows=len(table)):
                            parts.add(*score_rows(loaded, interface, table, places, again))
                    bar.update(len(table))
            if _stamp(file) != stamp:
                raise HandoffError(f"{file} was changed while it was scored: score it again.")
            return parts.finish()


def _opened(file: Path) -> parquet.ParquetFile:
    with _reading(file):
        # Read as it is asked for: by default whole row groups wait in memory.
        return parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)


def _places(file: str, first: int, count: int) -> pa.Table:
    rows = pa.array(range(first, first + count), pa.int64())
    return pa.table({FILE: pa.repeat(file, count), ROW: rows})


def _stamp(file: Path) -> tuple[int, int]:
    """What a change of a file changes."""
    return file.stat().st_size, file.stat().st_mtime_ns


def _content(file: Path) -> str:
    """What tells a file from any other: reading it takes a fraction of the time of predicting."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _tables(
    source: parquet.ParquetFile, file: Path, rows: int, schema: pa.Schema
) -> Iterator[pa.Table]:
    """These columns in tables of so many rows, whatever the row groups of the file are."""
    waiting = schema.empty_table()
    batches = source.iter_batches(rows, columns=schema.names)
    while True:
        with _reading(file):
            batch = next(batches, None)
        if batch is None:
            break
        table = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
        waiting = pa.concat_tables([waiting, table])
        while len(waiting) >= rows:
            yield waiting.slice(0, rows)
            waiting = waiting.slice(rows)
    if len(waiting):
        yield waiting


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        first = str(error).strip().partition("\n")[0]
        raise HandoffError(f"{file} can't be read as Parquet: {first}") from error


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
