"""The registered model: a project's model that refuses what its contracts refuse."""

from pathlib import Path
from typing import Any, Protocol

import joblib
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
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.tracing import span


class Model(Protocol):
    """What every model can do, whatever its contracts are called."""

    def predict(self, table: Any, /) -> Any:
        """Predict one row of output for each row of input, in the same order."""


class ContractedModel:
    """A model that checks its input and its output against their contracts.

    It is what MLflow stores and calls; `mlflow.pyfunc.load_model` gives it to anybody.
    """

    def __init__(self, model: Model, input_schema: Contract, output_schema: Contract) -> None:
        self.model = model
        self.input_schema = input_schema
        self.output_schema = output_schema

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Versions registered by release 0.1 hold the contracts under other names.
        for old, new in (("takes", "input_schema"), ("gives", "output_schema")):
            if old in state:
                state[new] = state.pop(old)
        self.__dict__.update(state)

    def predict(self, table: Any) -> Any:
        """Predict from a table, or from rows as JSON has them.

        Args:
            table: A pandas or polars DataFrame; or a list of rows, each by column.

        Returns:
            A DataFrame in the engine of the question; pandas for rows, which is what MLflow's own
            server can send.

        Raises:
            ContractViolation: Input or output breaks its contract; column and rule are named.
            HandoffError: The input is not a table, or the model does not answer row for row.
        """
        with span(f"contract {self.input_schema.__name__}"):
            checked = check(self.input_schema, self._table(table))
        with span("model", rows=len(checked)):
            predictions = check(self.output_schema, self.model.predict(checked))
        if len(predictions) != len(checked):
            raise HandoffError(
                f"The model answered with {len(predictions)} rows for {len(checked)}."
            )
        return to_engine(predictions, "polars" if is_polars_dataframe(table) else "pandas")

    def _table(self, table: Any) -> Frame:
        if is_pandas_dataframe(table) or is_polars_dataframe(table):
            return to_engine(table, engine_of(self.input_schema))
        if table and isinstance(table, list) and all(isinstance(row, dict) for row in table):
            names = sorted({name for row in table for name in row})
            for name in names:
                if lacking := tuple(n for n, row in enumerate(table) if name not in row):
                    violation = Violation(name, Rule(RuleKind.MISSING), lacking)
                    raise ContractViolation(self.input_schema.__name__, (violation,))
            return from_json(self.input_schema, table)
        kind = type(table).__name__
        raise HandoffError(
            f"The model takes a pandas or polars DataFrame or a list of rows, not {kind}."
        )


def _load_pyfunc(file: str) -> ContractedModel:
    """MLflow's door: the model from the file that `register` has written."""
    model: ContractedModel = joblib.load(Path(file))
    return model
