"""The registered model: a project's model that checks its contracts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from narwhals.dependencies import is_pandas_dataframe, is_polars_dataframe

from baton_handoff.contracts import (
    Contract,
    ContractViolation,
    Frame,
    Rule,
    RuleKind,
    Violation,
    check,
    engine_of,
    from_json,
    to_engine,
)
from baton_handoff.contracts.columns import Columns, rows_of_columns
from baton_handoff.contracts.drafts import drafts_of
from baton_handoff.contracts.fast_validation import fast_validation
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import span
from baton_handoff.registry.model_file import read_model


class Model(Protocol):
    """A model of a project."""

    def predict(self, table: Any, /) -> Any:
        """Predict one row of output for each row of input, in the same order."""


class NotCertainError(Exception):
    """Columns may break a contract: only a table can tell."""


class ContractedModel:
    """A model that checks its input and its output against their contracts.

    MLflow stores it, and `mlflow.pyfunc.load_model` returns it.
    """

    def __init__(self, model: Model, input_schema: Contract, output_schema: Contract) -> None:
        self.model = model
        self.input_schema = input_schema
        self.output_schema = output_schema

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Versions registered by earlier releases store the contracts under other names.
        for old, new in (("takes", "input_schema"), ("gives", "output_schema")):
            if old in state:
                state[new] = state.pop(old)
        self.__dict__.update(state)

    def predict(self, table: Any) -> Any:
        """Predict from a table, or from rows as JSON has them.

        Args:
            table: A pandas or polars DataFrame; or a list of rows, each a dictionary by column.

        Returns:
            A DataFrame of the same engine; of pandas for a list of rows, because MLflow's own
            server can send that.

        Raises:
            ContractViolation: Input or output breaks its contract.
            HandoffError: The input is not a table, or the number of predictions is wrong.
        """
        with span(f"contract {self.input_schema.__name__}"):
            checked = check(self.input_schema, self._to_frame(table))
        with span("model", rows=len(checked)):
            predictions = check(self.output_schema, self.model.predict(checked))
        if len(predictions) != len(checked):
            raise HandoffError(
                f"The model predicted {len(predictions)} rows for {len(checked)}: it must predict"
                " one row for each."
            )
        return to_engine(predictions, "polars" if is_polars_dataframe(table) else "pandas")

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """Predict from rows of plain values without a table, which takes longer than a prediction.

        A model can do so if it has a method `predict_columns(columns, checked)`: columns are arrays
        of numpy (see `contracts.columns`), and `checked(contract, columns)` returns columns that
        meet a contract inside the model. What it does not certainly answer is for `predict`.

        Returns:
            The predictions, the same as those of `predict`; None if only `predict` can answer.
        """
        predict = getattr(self.model, "predict_columns", None)
        given, returned = map(fast_validation, (self.input_schema, self.output_schema))
        if predict is None or given is None or returned is None:
            return None
        with span(f"contract {self.input_schema.__name__}"):
            columns = given.columns(rows)
            if not given.accepts_columns(columns):
                return None
        with span("model", rows=len(rows)):
            try:
                predicted = checked(self.output_schema, predict(columns, checked))
            except NotCertainError:
                return None
        predictions = rows_of_columns({name: predicted[name] for name in returned.types})
        # Drafted rules that are not met are logged by `predict`.
        drafts = drafts_of(self.input_schema), drafts_of(self.output_schema)
        if drafts[0].in_rows(rows) or drafts[1].in_rows(predictions):
            return None
        return predictions if len(predictions) == len(rows) else None

    def _to_frame(self, table: Any) -> Frame:
        if is_pandas_dataframe(table) or is_polars_dataframe(table):
            return to_engine(table, engine_of(self.input_schema))
        if table and isinstance(table, list) and all(isinstance(row, dict) for row in table):
            for name in sorted({name for row in table for name in row}):
                if missing := tuple(n for n, row in enumerate(table) if name not in row):
                    violation = Violation(name, Rule(RuleKind.MISSING), missing)
                    raise ContractViolation(self.input_schema.__name__, (violation,))
            return from_json(self.input_schema, table)
        raise HandoffError(
            "The model needs a pandas or polars DataFrame or a list of rows, not"
            f" {type(table).__name__}."
        )


def checked(contract: Contract, columns: Columns) -> Columns:
    """Return columns that meet a contract.

    Raises:
        NotCertainError: They may break it.
    """
    validation = fast_validation(contract)
    if validation is None or not validation.accepts_columns(columns):
        raise NotCertainError
    return columns


def _load_pyfunc(file: str) -> ContractedModel:
    """Load the file that `register` has written; MLflow calls this function by its name."""
    model: ContractedModel = read_model(Path(file))
    return model
