"""Looking things up in a static table: planes, airports."""

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow.compute as pc


def look_up(
    names: nw.Series[Any], table: nw.DataFrame[Any], key: str, columns: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """The row of `table` that each name is the key of, NaN where there is none.

    Not by a join: the service asks for one row at a time, and what a join prepares costs several
    times as much as all else.

    Args:
        names: What to look for.
        table: The static table.
        key: Its column of names, each of them once.
        columns: The columns to take, all of them numbers, and what to call them.
    """
    # pyarrow makes its functions when it is imported, which no editor can see.
    index_in = pc.index_in  # pyright: ignore[reportAttributeAccessIssue]
    places = index_in(names.to_arrow(), table[key].to_arrow()).fill_null(len(table)).to_numpy()
    return {new: np.append(table[old].to_numpy(), np.nan)[places] for old, new in columns.items()}
