"""Batch scoring: the registered model over a file of any size."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from tqdm import tqdm

from baton_handoff.contracts import Contract, canonical_form
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import span
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.manifest import file_hash
from baton_handoff.serving.batch.keys import duplicate_mask, find_duplicates
from baton_handoff.serving.batch.parts import Parts, Scored, rejected_path
from baton_handoff.serving.batch.rows import FILE, ROW, batch_interface, score_rows

__all__ = ["Scored", "score_file"]


def score_file(
    loaded: Loaded, input_schema: Contract, output_schema: Contract, file: Path, to: Path
) -> Scored:
    """Predict for every row of a Parquet file and write the rows with their predictions.

    Rows that break the contract, or that the model can't answer, go to `<to>.rejected.parquet`,
    with their position in the file and the reason. A run that was interrupted continues after its
    last finished part if file, model and contracts are the same.

    Args:
        loaded: The model version.
        input_schema: Its input contract; the file has exactly its columns.
        output_schema: Its output contract.
        file: The Parquet file to read.
        to: The Parquet file to write: the rows and their predictions, in the order of the file. It
            appears only once it is complete.

    Raises:
        HandoffError: The file can't be read or its columns are not the contract's; the model
            answers none of the rows of a part; the target can't be written. Then there is no
            target; finished parts are kept beside it for the next run.
    """
    if any(file.resolve() == path.resolve() for path in (to, rejected_path(to))):
        raise HandoffError(f"{file} would be overwritten: write to another file.")
    if to.is_dir():
        raise HandoffError(f"{to} is a folder: write to a file.")
    if not file.is_file():
        raise HandoffError(f"There is no file {file}.")
    before = file.stat()
    with _parquet_errors(file):
        # Read part by part: by default whole row groups wait in memory.
        source = parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)
    with source:
        interface = batch_interface(input_schema, output_schema, source.schema_arrow, file)
        forms = [canonical_form(contract) for contract in (input_schema, output_schema)]
        contracts = json.dumps(forms, sort_keys=True, default=str)
        size, total = interface.rows_per_part, source.metadata.num_rows
        made_of = {
            "file": [file.name, file_hash(file)],
            "model": f"{loaded.model} {loaded.version} {loaded.code}",
            "contract": hashlib.sha256(contracts.encode()).hexdigest(),
            "size of parts": size,
        }
        parts = Parts(to, interface, -(-total // size))
        with parts.lock():
            parts.start(made_of)
            read = partial(_read, source, file, size)
            found = {
                rule: find_duplicates(
                    total, partial(read, pa.schema([interface.columns.field(name) for name in key]))
                )
                for rule, key in interface.keys.items()
            }
            # Without a terminal there is no bar: it would only fill a log.
            bar = tqdm(total=total, unit=" rows", unit_scale=True, disable=None)
            with parts.target(), bar:
                for number, table in enumerate(read(interface.columns)):
                    first, count = number * size, len(table)
                    rows = pa.array(np.arange(first, first + count))
                    if number < parts.done:
                        parts.restore(number, table, rows)
                    else:
                        places = pa.table({FILE: pa.repeat(file.name, count), ROW: rows})
                        duplicates = {
                            rule: duplicate_mask(positions, first, count)
                            for rule, positions in found.items()
                        }
                        with span("part", number=number, rows=count):
                            parts.add(*score_rows(loaded, interface, table, places, duplicates))
                    bar.update(count)
                after = file.stat()
                if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                    raise HandoffError(f"{file} was changed while it was scored: score it again.")
            return parts.result()


def _read(
    source: parquet.ParquetFile, file: Path, rows: int, schema: pa.Schema
) -> Iterator[pa.Table]:
    """Read some columns in tables of `rows` rows, whatever the row groups of the file are."""
    waiting = schema.empty_table()
    batches = source.iter_batches(rows, columns=schema.names)
    while True:
        with _parquet_errors(file):
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
def _parquet_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = str(error).strip().partition("\n")[0]
        raise HandoffError(f"{file} can't be read as Parquet: {reason}") from error
