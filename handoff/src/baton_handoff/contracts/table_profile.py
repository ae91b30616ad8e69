"""Profile a table: types, ranges and categories of its columns, as its rows show them."""

import keyword
import math
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts.column_notes import Note, NoteKind
from baton_handoff.contracts.column_values import FoundColumn
from baton_handoff.contracts.leaks import leaks
from baton_handoff.contracts.raw_tables import whole
from baton_handoff.contracts.table_format import ColumnFormat
from baton_handoff.contracts.unusual_columns import sentinel_notes, unusual_columns
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
        rules: Drafts of its rules, as arguments of pandera's `Field`.
        form: How its values are written in the file.
    """

    name: str
    source: str
    kind: Kind
    nullable: bool = False
    rules: Mapping[str, Any] = field(default_factory=dict)
    form: ColumnFormat = field(default_factory=ColumnFormat)

    @property
    def parameters(self) -> dict[str, Any]:
        """How params.yaml describes it for `ingest`, empty if there is nothing to say."""
        renamed = {} if self.name == self.source else {"name": self.source}
        return renamed | self.form.parameters()


@dataclass(frozen=True)
class TableProfile:
    """A table to predict a target from.

    Attributes:
        columns: The model's input.
        target: The column to predict.
        classes: The classes of the target, empty if it is a quantity.
        notes: What is unusual about columns, in their order in the file.
    """

    columns: tuple[ColumnProfile, ...]
    target: ColumnProfile
    classes: tuple[str | int | bool, ...]
    notes: tuple[Note, ...] = ()

    @property
    def ordered_by(self) -> str | None:
        """The first column of timestamps without nulls, None if there is none."""
        times = (c.name for c in self.columns if c.kind == "Utc" and not c.nullable)
        return next(times, None)


def profile_table(
    found: Mapping[str, FoundColumn],
    target: str,
    task: Task | None,
    reserved: Collection[str],
    kept: Collection[str] = (),
) -> TableProfile:
    """Profile a table.

    Args:
        found: Its columns by their names in the file, as `infer_columns` returns them.
        target: The column to predict.
        task: The kind of prediction; None to choose it by the values of the target.
        reserved: Names that no column may have in the contracts.
        kept: Columns that stay, even if they identify rows or are constant.

    Raises:
        HandoffError: A model can't be trained on the table.
    """
    require_column(target, list(found))
    _require_few(found)
    labelled = pc.is_valid(found[target].values)
    rows = pc.sum(labelled).as_py() or 0
    if rows < MIN_ROWS:
        raise HandoffError(
            f"Only {rows} rows have a value of {target!r}: training and test need at least"
            f" {MIN_ROWS}."
        )
    found = {
        name: replace(column, values=column.values.filter(labelled))
        for name, column in found.items()
    }
    features = {name: column for name, column in found.items() if name != target}
    notes = [note for column in found.values() for note in column.notes]
    notes += unusual_columns({name: column.values for name, column in features.items()})
    dropped = {note.column for note in notes if note.kind.drops} - set(kept)
    notes = [note for note in notes if note.kind.drops == (note.column in dropped)]
    used = {name: column.values for name, column in features.items() if name not in dropped}
    names = contract_names([name for name in found if name not in dropped], reserved)
    columns = [_column(names[name], found[name], name, notes) for name in used]
    if all(column.kind == "Utc" for column in columns):
        apart = f", apart from {_some(sorted(dropped))}: add --keep to use one" if dropped else ""
        raise HandoffError(f"The table has no column to predict {target!r} from{apart}.")
    if mixed := next((n for n in found[target].notes if n.kind is NoteKind.MIXED), None):
        raise HandoffError(
            f"The target {target!r} has numbers, but also {_some(mixed.values)} in {mixed.count:,}"
            " rows: correct them, or name with --missing what means a missing value."
        )
    kind, classes = _target(target, found[target].values, task)
    counted = {note.column for note in notes if note.kind is NoteKind.COUNTS}
    used = {name: values for name, values in used.items() if name not in counted}
    if not classes:
        notes += sentinel_notes(target, found[target].values)
    notes += leaks(used, target, found[target].values, is_quantity=not classes)
    order = list(found)
    notes.sort(key=lambda note: order.index(note.column))
    form = found[target].form
    return TableProfile(
        tuple(columns),
        ColumnProfile(names[target], target, kind, form=form),
        tuple(classes),
        tuple(notes),
    )


def profile_columns(
    found: Mapping[str, FoundColumn], reserved: Collection[str]
) -> tuple[ColumnProfile, ...]:
    """Profile the columns of a table without a target; every column stays.

    Args:
        found: Its columns by their names in the file, as `infer_columns` returns them.
        reserved: Names that no column may have in the contract.

    Raises:
        HandoffError: It has too many columns, or one contains infinity.
    """
    _require_few(found)
    notes = [note for column in found.values() for note in column.notes]
    notes += unusual_columns({name: column.values for name, column in found.items()})
    names = contract_names(list(found), reserved)
    return tuple(_column(names[name], column, name, notes) for name, column in found.items())


def _require_few(found: Mapping[str, FoundColumn]) -> None:
    if len(found) > MAX_COLUMNS:
        raise HandoffError(
            f"The table has {len(found):,} columns, too many for a readable contract:"
            f" keep at most {MAX_COLUMNS} in the file, or leave out others with --drop."
        )


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


def _column(name: str, found: FoundColumn, source: str, notes: Sequence[Note]) -> ColumnProfile:
    values = found.values
    rules: dict[str, Any] = {}
    kind = _kind(values)
    kinds = {note.kind for note in notes if note.column == source}
    if kind in ("int", "float"):
        numbers = pc.cast(values, pa.float64() if kind == "float" else pa.int64()).drop_null()
        if bool(pc.any(pc.is_inf(pc.cast(numbers, pa.float64()))).as_py()):
            raise HandoffError(f"Column {source!r} contains infinity: replace it by null.")
        unbounded = kinds & {NoteKind.COUNTS, NoteKind.CODES, NoteKind.SENTINEL}
        rules = {} if unbounded else rounded_range(numbers.to_pylist())
    elif kind == "str":
        categories = sorted(pc.unique(values.drop_null()).to_pylist())
        few = len(categories) <= min(MAX_CATEGORIES, len(values) // 2)
        if few and all(len(category) <= MAX_LENGTH for category in categories):
            rules = {"isin": categories}
    return ColumnProfile(name, source, kind, values.null_count > 0, rules, found.form)


def rounded_range(numbers: Sequence[float]) -> dict[str, float]:
    """Return a range around numbers, with ends that a person would name."""
    low, high = min(numbers), max(numbers)
    size = abs(high - low) or abs(high) or 1
    step = 10.0 ** math.floor(math.log10(size))
    lower, upper = math.floor(low / step) * step, math.ceil(high / step) * step
    if low >= 0 and low < size:  # nothing below zero: zero is the natural end
        lower = 0.0
    if step < 1:
        digits = round(-math.log10(step))
        return {"ge": round(lower, digits), "le": round(upper, digits)}
    return {"ge": int(lower), "le": int(upper)}


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
    few = len(counts) <= MAX_CLASSES
    if task == "regression":
        if kind in ("str", "bool"):
            instead = "use --task classification" if few else "predict another column"
            raise HandoffError(f"The target {name!r} is not numeric: {instead}.")
        return "float", []
    if kind == "float":
        raise HandoffError(f"The target {name!r} has fractions: use --task regression.")
    if not few:
        instead = "predict another column" if kind == "str" else "use --task regression"
        raise HandoffError(
            f"The target {name!r} has more than {MAX_CLASSES} classes: {len(counts):,}; {instead}."
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


def require_column(name: str, names: Sequence[str]) -> None:
    """Check that a table has a column.

    Raises:
        HandoffError: It hasn't.
    """
    if name not in names:
        near = similar_name(name, names)
        end = f"; did you mean `{near}`?" if near else f", only {_some(names)}."
        raise HandoffError(f"There is no column {name!r}{end}")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return f"{shown} and {len(names) - 8:,} more" if len(names) > 8 else shown
