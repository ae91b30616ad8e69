"""Score rows: predict for those that meet the contract, reject the others with the reason.

The parts of a file and the partitions of Spark both come through here, as Arrow tables.
"""

import re
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from baton_handoff.contracts import (
    Contract,
    ContractViolation,
    Frame,
    Rule,
    RuleKind,
    Violation,
    canonical_form,
    check,
    engine_of,
    from_rows,
)
from baton_handoff.contracts.fast_validation import use_fast_validation
from baton_handoff.contracts.frames import ARROW
from baton_handoff.contracts.sentences import rule_text
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.unanswered import (
    INFINITE,
    ColumnRule,
    TooManyUnansweredError,
    answers_examples,
    find_unanswered,
)

CELLS = 1_000_000
"""About how many values are in memory at a time."""

FILE, ROW, REASON = "rejected_file", "rejected_row", "rejected_because"
"""The columns of a rejected row: its file, its position there (from 0), and the broken rules."""

MASKED = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
"""The pandas types that can hold a missing value without becoming another type."""

_SEARCH_PREDICTIONS = 500
"""How many predictions a part may cost in which the model can't answer all rows."""

_PANDAS_LABELS = re.compile(r"__index_level_\d+__")
"""The columns in which pandas stores its row labels in a Parquet file: they are no data."""


@dataclass(frozen=True)
class BatchInterface:
    """The model's interface as columns of files.

    Attributes:
        input_schema: The model's input contract.
        output_schema: Its output contract.
        columns: The columns of the file.
        scored: The same with the predictions.
        rejected: The same with file, row and reason.
    """

    input_schema: Contract
    output_schema: Contract
    columns: pa.Schema
    scored: pa.Schema
    rejected: pa.Schema

    @property
    def rows_per_part(self) -> int:
        """How many rows are scored at a time."""
        return max(1, CELLS // len(self.columns))

    @property
    def keys(self) -> dict[ColumnRule, list[str]]:
        """The columns whose values together must be unique, by rule."""
        form = canonical_form(self.input_schema)
        keys: dict[ColumnRule, list[str]] = {
            (name, Rule(RuleKind.UNIQUE)): [name]
            for name, column in form["columns"].items()
            if column["unique"]
        }
        if form["unique"]:
            keys[None, Rule(RuleKind.KEY, key=tuple(form["unique"]))] = form["unique"]
        return {rule: key for rule, key in keys.items() if set(key) <= set(self.columns.names)}


def batch_interface(
    input_schema: Contract, output_schema: Contract, schema: pa.Schema, file: object
) -> BatchInterface:
    """Make the interface for a file with these columns.

    Raises:
        HandoffError: A column is missing, not in the contract, of another type, or in the
            predictions as well.
    """
    use_fast_validation([input_schema, output_schema])
    columns = _plain_columns(schema, input_schema)
    predictions = nw.from_native(from_rows(output_schema, []), eager_only=True).to_arrow()
    scored = pa.schema([*columns, *_plain_columns(predictions.schema, output_schema)])
    rejected = pa.schema([*columns, (FILE, pa.string()), (ROW, pa.int64()), (REASON, pa.string())])
    for name, times in Counter([*scored.names, FILE, ROW, REASON]).items():
        if times > 1:
            raise HandoffError(f"Rows and predictions both have a column {name!r}: rename one.")
    try:
        check(input_schema, to_contract_engine(input_schema, columns.empty_table()))
    except ContractViolation as error:
        broken = tuple(item for item in error.violations if item.rule.kind.needs_no_rows)
        if broken:
            violation = ContractViolation(error.contract, broken)
            raise HandoffError(f"{file} can't be scored: {violation}") from None
    return BatchInterface(input_schema, output_schema, columns, scored, rejected)


def score_rows(
    loaded: Loaded,
    interface: BatchInterface,
    table: pa.Table,
    places: pa.Table,
    duplicates: Mapping[ColumnRule, pa.Array],
) -> tuple[pa.Table, pa.Table]:
    """Predict for the rows that meet the contract, and reject the others.

    Args:
        loaded: The model version.
        interface: The contracts and the columns of the files.
        table: The rows, with the columns of `interface.columns`.
        places: The columns FILE and ROW for each row.
        duplicates: For each rule of `interface.keys`, whether the values of a row occur in another
            row of the whole file.

    Returns:
        The rows with their predictions, and the rejected rows with the reason, in their order. A
        row without a required value has only this reason; any other has every rule that it breaks.

    Raises:
        HandoffError: The model answers none of the rows, or they break a rule that does not apply
            to single rows.
    """
    broken: dict[int, set[ColumnRule]] = defaultdict(set)
    required = interface.input_schema.to_schema().columns
    for name in interface.columns.names:
        # A missing value would change the type of the whole column in pandas, so look for it first.
        if name in required and not required[name].nullable:
            _add(broken, pc.is_null(table[name]), (name, Rule(RuleKind.NULL)))
    while True:
        accepted = _positions_without(broken, table)
        try:
            predictions = _predict(loaded, interface, _rows_at(accepted, table))
            break
        except Exception as error:  # noqa: BLE001 - the code of a model may raise anything
            input_name = interface.input_schema.__name__
            if isinstance(error, ContractViolation) and error.contract == input_name:
                for violation in _row_violations(error, places):
                    for position in violation.rows:
                        broken[accepted[position].as_py()].add((violation.column, violation.rule))
            else:
                rows = _rows_at(accepted, table)
                found = _unanswered(loaded, interface, rows, places, error)
                for position, rules in found.items():
                    broken[accepted[position].as_py()] |= rules
    for position in _infinite(predictions):
        broken[accepted[position].as_py()].add(INFINITE)
    for rule, rows in duplicates.items():
        _add(broken, rows, rule)
    kept, gone = _positions_without(broken, table), pa.array(sorted(broken), pa.int64())
    if len(kept) < len(accepted):
        predictions = predictions.filter(pc.is_in(accepted, kept))
    reasons = ["; ".join(sorted(map(_text, broken[n]))) for n in sorted(broken)]
    scored = [*_rows_at(kept, table).columns, *predictions.columns]
    rejected = [
        *table.take(gone).columns,
        *places.take(gone).columns,
        pa.array(reasons, pa.string()),
    ]
    return (
        pa.table(scored, schema=interface.scored),
        pa.table(rejected, schema=interface.rejected),
    )


def to_contract_engine(contract: Contract, table: pa.Table) -> Frame:
    """Convert a table to the engine of its contract."""
    if engine_of(contract) == "polars":
        import polars as pl  # noqa: PLC0415

        return pl.DataFrame(table)
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    for name, column in contract.to_schema().columns.items():
        if str(column.dtype) in {"Int64", "boolean"} and name in frame:
            frame[name] = table[name].to_pandas(types_mapper=MASKED.get)
    return frame


def _plain_columns(schema: pa.Schema, contract: Contract) -> pa.Schema:
    """The columns in plain types; a column of nulls only gets the type in the contract."""
    described = canonical_form(contract)["columns"]
    fields = []
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.string()
        if pa.types.is_null(kind) and field.name in described:
            kind = ARROW.get(described[field.name]["type"], kind)
        if not _PANDAS_LABELS.fullmatch(field.name):
            fields.append(pa.field(field.name, kind))
    return pa.schema(fields)


def _add(broken: dict[int, set[ColumnRule]], rows: pa.Array, rule: ColumnRule) -> None:
    for position in pc.indices_nonzero(rows).to_pylist():
        broken[position].add(rule)


def _positions_without(broken: Mapping[int, object], table: pa.Table) -> pa.Array:
    return pa.array(np.delete(np.arange(len(table)), list(broken)))


def _rows_at(positions: pa.Array, table: pa.Table) -> pa.Table:
    return table if len(positions) == len(table) else table.take(positions)


def _text(rule: ColumnRule) -> str:
    column, stated = rule
    return rule_text(stated) if column is None else f"{column}: {rule_text(stated)}"


def _predict(loaded: Loaded, interface: BatchInterface, table: pa.Table) -> pa.Table:
    schema = pa.schema(list(interface.scored)[len(interface.columns) :])
    if not len(table):  # few models can predict for no rows
        return schema.empty_table()
    rows = to_contract_engine(interface.input_schema, table)
    predictions = nw.from_native(loaded.predict(rows), eager_only=True).to_arrow()
    columns = [
        predictions[field.name].cast(field.type)
        if field.name in predictions.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _unanswered(
    loaded: Loaded,
    interface: BatchInterface,
    table: pa.Table,
    places: pa.Table,
    error: Exception,
) -> dict[int, set[ColumnRule]]:
    """The rows that the model can't answer although they meet the input contract."""

    def predict(positions: Sequence[int]) -> None:
        _predict(loaded, interface, table.take(pa.array(positions, pa.int64())))

    if isinstance(error, HandoffError):
        reason = str(error)
    else:  # its message may quote a row
        *_, (frame, line) = traceback.walk_tb(error.__traceback__)
        place = f"{Path(frame.f_code.co_filename).name}:{line}"
        reason = f"the model fails with {type(error).__name__} ({place})."
    stop = HandoffError(
        f"{_where(places)} meet {interface.input_schema.__name__}, but {reason} The side that is"
        " responsible for the model has to act: data-science."
    )
    try:
        found = find_unanswered(predict, len(table), error, _SEARCH_PREDICTIONS)
    except TooManyUnansweredError:
        raise stop from error
    if len(found) == len(table) and not answers_examples(loaded, interface.input_schema):
        raise stop from error
    return found


def _infinite(predictions: pa.Table) -> Iterator[int]:
    """The positions of infinite predictions, which the service does not give either."""
    for values in predictions.columns:
        if pa.types.is_floating(values.type):
            # Arrow crashes on an array without chunks.
            yield from pc.indices_nonzero(pc.is_inf(values).combine_chunks()).to_pylist()


def _where(places: pa.Table) -> str:
    numbers = pc.min_max(places[ROW])
    return f"Rows {numbers['min'].as_py():,} to {numbers['max'].as_py():,}"


def _row_violations(error: ContractViolation, places: pa.Table) -> Iterator[Violation]:
    """The violations of the input contract by single rows."""
    for violation in error.violations:
        if not violation.rows:
            raise HandoffError(
                f"{_where(places)} break a rule about the table as a whole, so no row can be"
                f" rejected for it: {_text((violation.column, violation.rule))}."
            ) from error
        yield violation
