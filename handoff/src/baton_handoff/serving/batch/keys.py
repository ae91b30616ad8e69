"""Values that may occur once in a whole file, however large it is."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from baton_handoff.serving.batch.rows import MASKED


def find_duplicates(rows: int, read: Callable[[], Iterable[pa.Table]]) -> pa.Array:
    """Find the rows whose values occur more than once: all of them, as pandera does in one table.

    It holds 9 bytes for each row of the file (a hash, and a mark while looking through them), and
    the values of those rows that are repeated. Equal hashes only make rows suspect; the values
    decide.

    Args:
        rows: The number of rows.
        read: Reads the columns in question from the beginning, in parts.

    Returns:
        The positions of the rows, sorted.
    """
    hashes = np.empty(rows, np.uint64)
    first = 0
    for table in read():
        hashes[first : first + len(table)] = _hashes(table)
        first += len(table)
    hashes.sort()
    twice = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    del hashes
    if not len(twice):
        return pa.array([], pa.int64())
    positions, suspects, first = [], [], 0
    for table in read():
        found = np.flatnonzero(np.isin(_hashes(table), twice))
        positions.append(found + first)
        suspects.append(table.take(pa.array(found)))
        first += len(table)
    again = _in_pandas(pa.concat_tables(suspects)).duplicated(keep=False)
    return pa.array(np.concatenate(positions)[again.to_numpy()])


def duplicate_mask(positions: pa.Array, first: int, count: int) -> pa.Array:
    """For each of so many rows from the first whether its position is among those found."""
    found = positions.to_numpy()
    marks = np.zeros(count, bool)
    marks[found[slice(*np.searchsorted(found, [first, first + count]))] - first] = True
    return pa.array(marks)


def _hashes(table: pa.Table) -> npt.NDArray[np.uint64]:
    return np.asarray(pd.util.hash_pandas_object(_in_pandas(table), index=False), np.uint64)


def _in_pandas(table: pa.Table) -> pd.DataFrame:
    # Equal values have to look equal in every part, whatever else stands there.
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, types_mapper=MASKED.get)
    fractions = frame.select_dtypes("float").columns
    frame[fractions] += 0.0  # there are two zeros, and they are equal
    return frame
