"""Join further tables to the rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts.table_format import FileFormat, file_format
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.suggestions import hint

_PLACE = "handoff.place"


@dataclass(frozen=True)
class Join:
    """A table to join.

    Attributes:
        file: Its file.
        keys: The columns that both tables have, and that identify a row of this one.
        written: How the file is written, None to find it out.
    """

    file: Path
    keys: tuple[str, ...]
    written: FileFormat | None = None

    @classmethod
    def all_of(cls, parameters: Sequence[Mapping[str, Any]]) -> "list[Join]":
        """The joins that params.yaml lists: `file`, `keys` and `format` of each."""
        return [
            cls(
                Path(each["file"]),
                tuple(each["keys"]),
                file_format(each.get("format"), Path(each["file"])),
            )
            for each in parameters
        ]


def join_table(table: pa.Table, other: pa.Table, join: Join) -> pa.Table:
    """Return each row of a table, in its order, with the columns of the other's row of its keys.

    Without such a row the columns are null.

    Raises:
        HandoffError: A key is missing or of another type, the other table has two rows of the same
            keys, or both have another column of the same name.
    """
    keys = list(join.keys)
    for key in keys:
        for name, columns in (("The table", table), (str(join.file), other)):
            if key not in columns.column_names:
                end = hint(key, columns.column_names, "name one that both tables have")
                raise HandoffError(f"{name} has no column {key!r} to join on{end}")
        kinds = [columns[key].type for columns in (table, other)]
        if kinds[0] != kinds[1]:
            if not all(pa.types.is_floating(k) or pa.types.is_integer(k) for k in kinds):
                raise HandoffError(
                    f"{key!r} can't join {join.file}: it is of type {kinds[1]} there, and"
                    f" {kinds[0]} in the table."
                )
            place = other.column_names.index(key)
            other = other.set_column(place, key, pc.cast(other[key], kinds[0]))
    shared = set(table.column_names) & set(other.column_names) - set(keys)
    if shared:
        raise HandoffError(
            f"{join.file} and the table both have a column {min(shared)!r}: rename one, or join on"
            " it."
        )
    counted = other.group_by(keys).aggregate([([], "count_all")])
    repeated = counted.filter(pc.greater(counted["count_all"], 1))
    if repeated.num_rows:
        example = ", ".join(f"{key} = {repeated[key][0].as_py()!r}" for key in keys)
        raise HandoffError(
            f"{join.file} has {repeated['count_all'][0]} rows with {example}: a row can be joined"
            " to one of them only."
        )
    numbered = table.append_column(_PLACE, pa.array(range(len(table)), pa.int64()))
    joined = numbered.join(other, keys=keys, join_type="left outer").sort_by(_PLACE)
    return joined.select([*table.column_names, *(n for n in other.column_names if n not in keys)])


def unmatched(table: pa.Table, other: pa.Table, join: Join) -> int:
    """How many rows of a table have no row of their keys in the other."""
    keys = list(join.keys)
    return len(table.join(other.select(keys), keys=keys, join_type="left anti"))
