"""Profile a table: types, ranges and categories of its columns, as its rows show them."""

import keyword
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts.table_files import whole
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.suggestions import similar_name

MIN_ROWS = 20
MAX_COLUMNS = 200
MAX_CLASSES = 50
MIN_ROWS_OF_A_CLASS = 5
MAX_CATEGORIES = 20
"""Text with more distinct values is free text, and integers with more are a quantity."""

MAX_LENGTH = 60
"""The maximal length of a name or a category."""

Task: TypeAlias = Literal["classification", "regression"]
Kind: TypeAlias = Literal["int", "float", "bool", "str", "Utc"]


@dataclass(frozen=True)
class ColumnProfile:
    """A column, as a contract can describe it.

    Attributes:
        name: Its name in the contract.
        source: Its name in the file.
        kind: Its type.
        nullable: Whether values are missing.
        rules: Rules that all its values meet, as arguments of pandera's `Field`.
    """

    name: str
    source: str
    kind: Kind
    nullable: bool = False
    rules: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TableProfile:
    """A table to predict a target from.

    Attributes:
        columns: The model's input.
        target: The column to predict.
        classes: The classes of the target, empty if it is a quantity.
    """

    columns: tuple[ColumnProfile, ...]
    target: ColumnProfile
    classes: tuple[str | int | bool, ...]

    @property
    def ordered_by(self) -> str | None:
        """The first column of timestamps without nulls, None if there is none."""
        times = (c.name for c in self.columns if c.kind == "Utc" and not c.nullable)
        return next(times, None)


def profile_table(
    table: pa.Table, target: str, task: Task | None, reserved: Collection[str]
) -> TableProfile:
    """Profile a table of plain types.

    Args:
        table: The table, as `read_table` returns it.
        target: The column to predict.
        task: The kind of prediction; None to choose it by the values of the target.
        reserved: Names that no column may have in the contracts.

    Raises:
        HandoffError: A model can't be trained on the table.
    """
    if target not in table.column_names:
        near = similar_name(target, table.column_names)
        end = f"; did you mean `{near}`?" if near else f", only {_some(table.column_names)}."
        raise HandoffError(f"There is no column {target!r}{end}")
    if len(table.column_names) > MAX_COLUMNS:
        raise HandoffError(
            f"The table has {len(table.column_names):,} columns, too many for a readable contract:"
            f" choose at most {MAX_COLUMNS}."
        )
    table = table.filter(pc.is_valid(table[target]))
    if len(table) < MIN_ROWS:
        raise HandoffError(
            f"Only {len(table)} rows have a value of {target!r}: training and test need at least"
            f" {MIN_ROWS}."
        )
    empty = [name for name in table.column_names if table[name].null_count == len(table)]
    if empty:
        raise HandoffError(f"Remove the columns without any value: {_some(empty)}.")
    names = contract_names(table.column_names, reserved)
    columns = [_column(names[name], name, table[name]) for name in names if name != target]
    if all(column.kind == "Utc" for column in columns):
        raise HandoffError(f"The table has no column to predict {target!r} from.")
    kind, classes = _target(target, table[target], task)
    return TableProfile(tuple(columns), ColumnProfile(names[target], target, kind), tuple(classes))


def contract_names(sources: Sequence[str], reserved: Collection[str]) -> dict[str, str]:
    """Return a valid name for each column: its own if possible, else one in snake_case."""
    names = {source: source for source in sources if _is_valid(source, reserved)}
    for place, source in enumerate(sources, start=1):
        if source not in names:
            name = _snake_case(source, place)
            while not _is_valid(name, reserved) or name in names.values():
                name += "_" if keyword.iskeyword(name) or name in reserved else f"_{place}"
            names[source] = name
    return {source: names[source] for source in sources}


def _is_valid(name: str, reserved: Collection[str]) -> bool:
    return (
        name.isidentifier()
        and not name.startswith("_")
        and not keyword.iskeyword(name)
        and name not in reserved
        and len(name) <= MAX_LENGTH
        and name == unicodedata.normalize("NFKC", name)
    )


def _snake_case(name: str, place: int) -> str:
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name).lower())
    joined = "_".join(words)[: MAX_LENGTH - 20].strip("_")
    if joined.isidentifier():
        return joined
    plain = re.sub(r"\W", "", joined, flags=re.ASCII)
    return f"column_{plain or place}"


def _column(name: str, source: str, values: pa.ChunkedArray) -> ColumnProfile:
    kind = _kind(values)
    rules: dict[str, Any] = {}
    if kind in ("int", "float"):
        bounds = pc.min_max(pc.cast(values, pa.float64() if kind == "float" else pa.int64()))
        rules = {"ge": bounds["min"].as_py(), "le": bounds["max"].as_py()}
        if float("inf") in (abs(rules["ge"]), abs(rules["le"])):
            raise HandoffError(f"Column {source!r} contains infinity: replace it by null.")
    elif kind == "str":
        categories = sorted(pc.unique(values.drop_null()).to_pylist())
        few = len(categories) <= min(MAX_CATEGORIES, len(values) // 2)
        if few and all(len(category) <= MAX_LENGTH for category in categories):
            rules = {"isin": categories}
    return ColumnProfile(name, source, kind, values.null_count > 0, rules)


def _kind(values: pa.ChunkedArray) -> Kind:
    if pa.types.is_string(values.type):
        return "str"
    if pa.types.is_timestamp(values.type):
        return "Utc"
    # pandas has no nulls in integers and booleans.
    if pa.types.is_floating(values.type) or values.null_count:
        return "float"
    return "bool" if pa.types.is_boolean(values.type) else "int"


def _target(
    name: str, values: pa.ChunkedArray, task: Task | None
) -> tuple[Kind, list[str | int | bool]]:
    kind = _kind(values)
    if kind == "float" and whole(values):
        kind = "int"
        values = pc.cast(values, pa.int64())
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(values).to_pylist()}
    if len(counts) == 1:
        raise HandoffError(f"The target {name!r} has only one value: there is nothing to predict.")
    if kind == "Utc":
        raise HandoffError(f"The target {name!r} holds timestamps: predict a number or a category.")
    if task is None:
        closed = kind in ("str", "bool") or (kind == "int" and len(counts) <= MAX_CATEGORIES)
        task = "classification" if closed else "regression"
    if task == "regression":
        if kind in ("str", "bool"):
            raise HandoffError(f"The target {name!r} is not numeric: use --task classification.")
        return "float", []
    if kind == "float":
        raise HandoffError(f"The target {name!r} has fractions: use --task regression.")
    if len(counts) > MAX_CLASSES:
        raise HandoffError(
            f"The target {name!r} has more than {MAX_CLASSES} classes: {len(counts):,}."
        )
    rarest = min(counts, key=lambda value: (counts[value], str(value)))
    if counts[rarest] < MIN_ROWS_OF_A_CLASS:
        instead = " or predict a quantity with --task regression" if kind == "int" else ""
        raise HandoffError(
            f"The class {rarest!r} of the target {name!r} has {counts[rarest]} of the"
            f" {MIN_ROWS_OF_A_CLASS} rows that training and test need: merge it with another class"
            f"{instead}."
        )
    return kind, sorted(counts)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return f"{shown} and {len(names) - 8:,} more" if len(names) > 8 else shown
