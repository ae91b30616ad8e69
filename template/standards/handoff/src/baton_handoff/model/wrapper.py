"""The registered model: a project's model that refuses what its contracts refuse."""

from pathlib import Path
from typing import Any, Protocol

import joblib
from narwhals.dependencies import is_pandas_dataframe, is_polars_dataframe

from baton_handoff.contracts import Contract, check, engine_of, to_engine
from baton_handoff.errors import HandoffError


class Model(Protocol):
    """What every model can do, whatever its contracts are called."""

    def predict(self, table: Any, /) -> Any:
        """Predict one row of output for each row of input, in the same order."""


class ContractedModel:
    """A model that checks its input and its output against their contracts.

    It is what MLflow stores and calls; `mlflow.pyfunc.load_model` gives it to anybody.
    """

    def __init__(self, model: Model, takes: Contract, gives: Contract) -> None:
        self.model = model
        self.takes = takes
        self.gives = gives

    def predict(self, table: Any) -> Any:
        """Predict from a pandas or polars table; the answer comes in the engine of the question.

        Raises:
            ContractViolation: Input or output breaks its contract; column and rule are named.
            HandoffError: The input is not a table, or the model does not answer row for row.
        """
        if not (is_pandas_dataframe(table) or is_polars_dataframe(table)):
            kind = type(table).__name__
            raise HandoffError(f"The model takes a pandas or polars DataFrame, not {kind}.")
        checked = check(self.takes, to_engine(table, engine_of(self.takes)))
        predictions = check(self.gives, self.model.predict(checked))
        if len(predictions) != len(checked):
            raise HandoffError(
                f"The model answered with {len(predictions)} rows for {len(checked)}."
            )
        return to_engine(predictions, "pandas" if is_pandas_dataframe(table) else "polars")


def _load_pyfunc(file: str) -> ContractedModel:
    """MLflow's door: the model from the file that `register` has written."""
    model: ContractedModel = joblib.load(Path(file))
    return model
