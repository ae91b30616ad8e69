"""Looking things up in a static table: planes, airports."""

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np


def look_up(
    names: nw.Series[Any], table: nw.DataFrame[Any], key: str, columns: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """The row of `table` that each name is the key of, NaN where there is none.

    By a dictionary and not by a join: the service asks for one row at a time, and what a join
    prepares costs several times as much as all else.

    Args:
        names: What to look for.
        table: The static table.
        key: Its column of names, each of them once.
        columns: The columns to take, all of them numbers, and what to call them.
    """
    places = {name: place for place, name in enumerate(table[key].to_list())}
    found = np.array([places.get(name, len(places)) for name in names.to_list()], dtype=np.int64)
    return {new: np.append(table[old].to_numpy(), np.nan)[found] for old, new in columns.items()}
