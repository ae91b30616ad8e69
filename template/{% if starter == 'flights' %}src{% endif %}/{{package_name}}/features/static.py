"""Features from static tables: the plane that a flight is scheduled with, and the destination."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import narwhals as nw
import numpy as np
import pyarrow as pa

from ..contracts import Airports, Planes
from ..contracts.engine import DataFrame, DataFrameModel

_Contract = TypeVar("_Contract", bound=DataFrameModel)

_PLANES = {"year": "built", "seats": "seats"}
_AIRPORTS = {
    "lat": "destination_latitude",
    "lon": "destination_longitude",
    "alt": "destination_altitude_ft",
}


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

    def look_up(self, names: Any) -> dict[str, np.ndarray]:
        """The numbers of each name, NaN where it is unknown.

        Args:
            names: An array of numpy, or a column of Arrow, which is faster if it is long.
        """
        column = names if isinstance(names, pa.Array | pa.ChunkedArray) else pa.array(names)
        if isinstance(column, pa.ChunkedArray):  # as pandas has it from a file
            column = column.combine_chunks()
        # Look up each distinct name once: a year has a hundred flights per name.
        different = column.dictionary_encode(null_encoding="encode")
        unknown = len(self._rows)
        rows = [self._rows.get(name, unknown) for name in different.dictionary.to_pylist()]
        each = np.array(rows, dtype=np.intp)[different.indices.to_numpy()]
        return {name: values[each] for name, values in self._columns.items()}


def planes_by_tail_number(planes: DataFrame[Planes]) -> Register[Planes]:
    """The year in which each plane was built, and its seats."""
    return Register(nw.from_native(planes), "tailnum", _PLANES)


def airports_by_code(airports: DataFrame[Airports]) -> Register[Airports]:
    """Position and altitude of each airport."""
    return Register(nw.from_native(airports), "faa", _AIRPORTS)


def of_plane(
    tail_numbers: Any, departures: np.ndarray, planes: Register[Planes]
) -> dict[str, np.ndarray]:
    """The age and the seats of each flight's plane, NaN where the register lacks it."""
    plane = planes.look_up(tail_numbers)
    year = departures.astype("datetime64[Y]").astype(np.int64) + 1970
    return {"aircraft_age_years": year - plane["built"], "aircraft_seats": plane["seats"]}


def of_destination(destinations: Any, airports: Register[Airports]) -> dict[str, np.ndarray]:
    """Position and altitude of each destination, NaN where the list lacks it."""
    return airports.look_up(destinations)
