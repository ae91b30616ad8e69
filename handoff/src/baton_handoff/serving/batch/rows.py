"""The rows of a table: those that the model answers, and those that its contract refuses.

A part of a file and a partition of Spark's both come through here, as Arrow tables.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts import (
    Contract,
    ContractViolation,
    Frame,
    Rule,
    RuleKind,
    canonical_form,
    check,
    engine_of,
    from_rows,
)
from baton_handoff.contracts.frames import ARROW
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import Loaded

CELLS = 1_000_000
"""About how many values are looked at at once, and so are in memory."""

FILE, ROW, REASON = "rejected_file", "rejected_row", "rejected_because"
"""The columns that say where a rejected row stands (the first of a file is 0) and why it is one."""

MASKED = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
"""Types of pandas' that hold a missing value; beside one, its own become other types."""

_PANDAS_LABELS = re.compile(r"__index_level_\d+__")
"""What pandas calls the labels of its rows in a Parquet file: they are no data."""


@dataclass(frozen=True)
class BatchInterface:
    """The model's interface as the columns of files.

    Attributes:
        input_schema: The model's input contract.
        output_schema: Its output contract.
        given: The columns of a file that meets the input contract.
        scored: The same with the predictions.
        rejected: The same with the row's place and the reason.
        part: How many rows are looked at at once.
    """

    input_schema: Contract
    output_schema: Contract
    given: pa.Schema
    scored: pa.Schema
    rejected: pa.Schema

    @property
    def part(self) -> int:
        return max(1, CELLS // len(self.given))

    @property
    def keys(self) -> dict[str, list[str]]:
        """For each rule about values that may occur once the columns that it is about."""
        form = canonical_form(self.input_schema)
        single = [name for name, column in form["columns"].items() if column["unique"]]
        keys = {f"{name}: must be unique": [name] for name in single}
        if form["unique"]:
            rule = Rule(RuleKind.KEY, key=tuple(form["unique"]))
            keys[rule_text(rule)] = form["unique"]
        return {rule: key for rule, key in keys.items() if set(key) <= set(self.given.names)}


def batch_interface(
    input_schema: Contract, output_schema: Contract, schema: pa.Schema, file: object
) -> BatchInterface:
    """The interface for a file of these columns.

    Raises:
        HandoffError: A column is missing, not in the contract, of another type, or there twice.
    """
    given = _plain(schema, input_schema)
    predictions = nw.from_native(from_rows(output_schema, []), eager_only=True).to_arrow()
    scored = pa.schema([*given, *_plain(predictions.schema, output_schema)])
    found = [(FILE, pa.string()), (ROW, pa.int64()), (REASON, pa.string())]
    rejected = pa.schema([*given, *found])
    for name, times in Counter([*scored.names, FILE, ROW, REASON]).items():
        if times > 1:
            raise HandoffError(f"Rows and predictions both have a column {name!r}: rename one.")
    try:
        check(input_schema, in_engine(input_schema, given.empty_table()))
    except ContractViolation as error:
        broken = tuple(item for item in error.violations if item.rule.kind.needs_no_rows)
        if broken:
            violation = ContractViolation(error.contract, broken)
            raise HandoffError(f"{file} can't be scored: {violation}") from None
    return BatchInterface(input_schema, output_schema, given, scored, rejected)


def score_rows(
    loaded: Loaded,
    interface: BatchInterface,
    table: pa.Table,
    places: pa.Table,
    repeated: Mapping[str, pa.Array],
) -> tuple[pa.Table, pa.Table]:
    """Predict for the rows that the contract accepts, and set the others aside.

    A row in which a required value is missing is looked at no further; of any other, every rule
    that it breaks is named.

    Args:
        loaded: The model version.
        interface: The contracts and the columns of the files.
        table: The rows, with the columns of `interface.given`.
        places: For each row the file and the row in it.
        repeated: For each rule about values that may occur once, whether those of a row occur
            again anywhere in the file: no part of it can tell.

    Returns:
        The rows with their predictions, and the rejected rows with the reason, in their order.

    Raises:
        HandoffError: The model's answer breaks its own contract, or the rows break a rule that
            can't be said of single rows.
    """
    reasons: dict[int, set[str]] = defaultdict(set)
    for name in _required(interface):
        _note(reasons, pc.is_null(table[name]), f"{name}: must not be null")
    while True:
        asked = _others(table, reasons)
        try:
            answers = _answers(loaded, interface, table.take(asked))
            break
        except ContractViolation as violation:
            for position, rule in _blamed(violation, interface, places):
                reasons[asked[position].as_py()].add(rule)
    for rule, rows in repeated.items():
        _note(reasons, rows, rule)
    kept, gone = _others(table, reasons), pa.array(sorted(reasons), pa.int64())
    answers = answers.filter(pc.is_in(asked, kept))
    because = pa.array(["; ".join(sorted(reasons[n])) for n in gone.to_pylist()], pa.string())
    scored = [*table.take(kept).columns, *answers.columns]
    rejected = [*table.take(gone).columns, *places.take(gone).columns, because]
    return (
        pa.table(scored, schema=interface.scored),
        pa.table(rejected, schema=interface.rejected),
    )


def in_engine(contract: Contract, table: pa.Table) -> Frame:
    """The table in the contract's engine."""
    if engine_of(contract) == "polars":
        import polars as pl  # noqa: PLC0415

        return pl.DataFrame(table)
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    for name, column in contract.to_schema().columns.items():
        if str(column.dtype) in {"Int64", "boolean"} and name in frame:
            frame[name] = table[name].to_pandas(types_mapper=MASKED.get)
    return frame


def plain(kind: pa.DataType) -> pa.DataType:
    """The type of the same values, however a file keeps them."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return pa.string() if text else kind


def _plain(schema: pa.Schema, contract: Contract) -> pa.Schema:
    """Columns in plain types; one that holds only nulls gets the contract's."""
    described = canonical_form(contract)["columns"]
    fields = []
    for field in schema:
        kind = plain(field.type)
        if pa.types.is_null(kind) and field.name in described:
            kind = ARROW.get(described[field.name]["type"], kind)
        if not _PANDAS_LABELS.fullmatch(field.name):
            fields.append(pa.field(field.name, kind))
    return pa.schema(fields)


def _required(interface: BatchInterface) -> list[str]:
    """The columns that hold a value in every row."""
    columns = interface.input_schema.to_schema().columns
    return [
        name for name in interface.given.names if name in columns and not columns[name].nullable
    ]


def _note(reasons: dict[int, set[str]], rows: pa.Array, rule: str) -> None:
    for position in pc.indices_nonzero(rows).to_pylist():
        reasons[position].add(rule)


def _others(table: pa.Table, reasons: Mapping[int, object]) -> pa.Array:
    """The positions of the rows that nothing is said against."""
    return pa.array([n for n in range(len(table)) if n not in reasons], pa.int64())


def _answers(loaded: Loaded, interface: BatchInterface, table: pa.Table) -> pa.Table:
    fields = [
        interface.scored.field(name) for name in interface.scored.names[len(interface.given) :]
    ]
    if not len(table):  # few models can answer nothing
        return pa.schema(fields).empty_table()
    frame = nw.from_native(
        loaded.predict(in_engine(interface.input_schema, table)), eager_only=True
    )
    found = frame.to_arrow()
    return pa.table(
        [
            found[field.name].cast(field.type)
            if field.name in found.column_names
            else pa.nulls(len(table), field.type)
            for field in fields
        ],
        schema=pa.schema(fields),
    )


def _blamed(
    violation: ContractViolation, interface: BatchInterface, places: pa.Table
) -> Iterator[tuple[int, str]]:
    """The positions that a violation of the input contract names, each with the rule."""
    numbers = pc.min_max(places[ROW])
    where = f"Rows {numbers['min'].as_py():,} to {numbers['max'].as_py():,}"
    if violation.contract != interface.input_schema.__name__:
        raise HandoffError(
            f"{where} meet {interface.input_schema.__name__}, but {violation} The side that is"
            " responsible for the model has to act: data-science."
        ) from violation
    for item in violation.violations:
        text = rule_text(item.rule)
        rule = text if item.column is None else f"{item.column}: {text}"
        if not item.rows:
            raise HandoffError(
                f"{where} break a rule that can't be said of single rows, so none can be set"
                f" aside: {rule}."
            ) from violation
        for position in item.rows:
            yield position, rule
