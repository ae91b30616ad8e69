"""Search a whole file for values that must be unique, however large it is."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from baton_handoff.serving.batch.rows import MASKED


def find_duplicates(rows: int, read: Callable[[], Iterable[pa.Table]]) -> pa.Array:
    """Find the rows whose values occur more than once: all of them, as pandera does in one table.

    This takes 9 bytes of memory for each row of the file (a hash and a mark), and the duplicates
    themselves.

    Args:
        rows: The number of rows.
        read: Reads the columns of the key from the beginning, in parts.

    Returns:
        The positions of the rows, sorted.
    """
    hashes = np.empty(rows, np.uint64)
    first = 0
    for table in read():
        hashes[first : first + len(table)] = _hashes(table)
        first += len(table)
    hashes.sort()
    repeated = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    del hashes
    if not len(repeated):
        return pa.array([], pa.int64())
    # Different values may have the same hash, so compare the values of these rows.
    positions, suspects, first = [], [], 0
    for table in read():
        found = np.flatnonzero(np.isin(_hashes(table), repeated))
        positions.append(found + first)
        suspects.append(table.take(pa.array(found)))
        first += len(table)
    duplicated = _to_pandas(pa.concat_tables(suspects)).duplicated(keep=False)
    return pa.array(np.concatenate(positions)[duplicated.to_numpy()])


def duplicate_mask(positions: pa.Array, first: int, count: int) -> pa.Array:
    """For each of `count` rows from `first`, whether `positions` contains it."""
    found = positions.to_numpy()
    mask = np.zeros(count, bool)
    mask[found[slice(*np.searchsorted(found, [first, first + count]))] - first] = True
    return pa.array(mask)


def _hashes(table: pa.Table) -> npt.NDArray[np.uint64]:
    return np.asarray(pd.util.hash_pandas_object(_to_pandas(table), index=False), np.uint64)


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    # Equal values need the same type in every part, with and without missing values beside them.
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, types_mapper=MASKED.get)
    fractions = frame.select_dtypes("float").columns
    frame[fractions] += 0.0  # -0.0 equals 0.0, but has another hash
    return frame
