"""Lookups in static tables: planes, airports."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import narwhals as nw
import numpy as np
import pyarrow as pa

from ..contracts.engine import DataFrameModel

_Contract = TypeVar("_Contract", bound=DataFrameModel)


class Register(Generic[_Contract]):
    """Numbers by name, from a table that meets a contract.

    It is made once and asked often: a service asks for one row at a time, and what a join would
    prepare for it each time costs several times as much as all else.
    """

    def __init__(self, table: nw.DataFrame[Any], key: str, columns: Mapping[str, str]) -> None:
        """Take some columns of a table.

        Args:
            table: The table.
            key: Its column of names, each of them once.
            columns: The columns to take, all of them numbers, and what to call them.
        """
        self._rows = {name: row for row, name in enumerate(table[key].to_list())}
        # One row more than names: the last row is for unknown names.
        self._columns = {
            new: np.append(table[old].to_numpy(), np.nan) for old, new in columns.items()
        }

    def look_up(self, names: nw.Series[Any]) -> dict[str, np.ndarray]:
        """The numbers of each name, NaN where it is unknown."""
        column: Any = names.to_arrow()
        if isinstance(column, pa.ChunkedArray):  # as pandas has it from a file
            column = column.combine_chunks()
        # Look up each distinct name once: a year has a hundred flights per name.
        different = column.dictionary_encode(null_encoding="encode")
        unknown = len(self._rows)
        rows = [self._rows.get(name, unknown) for name in different.dictionary.to_pylist()]
        each = np.array(rows, dtype=np.intp)[different.indices.to_numpy()]
        return {name: values[each] for name, values in self._columns.items()}
