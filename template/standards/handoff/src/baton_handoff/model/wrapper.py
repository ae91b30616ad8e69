"""The registered model: a project's model that refuses what its contracts refuse."""

from typing import Any, Protocol

import mlflow.pyfunc
from narwhals.dependencies import is_pandas_dataframe, is_polars_dataframe

from baton_handoff.contracts import Contract, check, engine_of, to_engine
from baton_handoff.errors import HandoffError


class Model(Protocol):
    """What every model can do, whatever its contracts are called."""

    def predict(self, table: Any, /) -> Any:
        """Predict one row of output for each row of input, in the same order."""


class ContractedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A model that checks its input and its output against their contracts."""

    def __init__(self, model: Model, takes: Contract, gives: Contract) -> None:
        self.model = model
        self.takes = takes
        self.gives = gives

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """Predict from a pandas or polars table; the answer comes in the engine of the question.

        Raises:
            ContractViolation: Input or output breaks its contract; column and rule are named.
            HandoffError: The input is not a table.
        """
        if not (is_pandas_dataframe(model_input) or is_polars_dataframe(model_input)):
            kind = type(model_input).__name__
            raise HandoffError(f"The model takes a pandas or polars DataFrame, not {kind}.")
        table = check(self.takes, to_engine(model_input, engine_of(self.takes)))
        predictions = check(self.gives, self.model.predict(table))
        return to_engine(predictions, "pandas" if is_pandas_dataframe(model_input) else "polars")
