"""The evaluation of a model on rows that it was not trained on.

The pipeline writes it and the registry stores it with the version. Promotion gates run the version
on its rows again; monitoring compares later rows with it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from baton_handoff.contracts import Engine, Frame
from baton_handoff.core.errors import HandoffError

PredictionKind: TypeAlias = Literal["probability", "class", "value"]
"""What a model predicts: the probability of an event, one of several classes, or a number."""

MODEL = "model"
"""The name of the model's own predictions in an evaluation; all other names are baselines."""

MAX_SAMPLE_ROWS = 20_000
"""The largest training sample that is stored."""

_ROWS, _OUTCOMES, _ABOUT = "rows.parquet", "outcomes.parquet", "evaluation.json"
_TRAINING_SAMPLE = "learnt.parquet"
_LABELS = "truth"
_STORED_NAMES = {
    "kind": "kind",
    "prediction_column": "answer",
    "groups": "groups",
    "time": "time",
    "trained_until": "learnt_until",
    "threshold": "threshold",
}
"""The keys of evaluation.json by field: registered versions keep the names of their release."""


@dataclass(frozen=True)
class Evaluation:
    """Rows that a model was not trained on, with labels and predictions.

    Attributes:
        rows: Rows of the model's input.
        labels: The label of each row: 0 or 1 for a probability, the class, or the value.
        predicted: The predictions of the model and of its baselines by name, one for each row.
        kind: What is predicted.
        prediction_column: The column of the output contract that holds the prediction.
        groups: Columns of the input whose values are subgroups to evaluate separately.
        time: The column of the input that holds when a row became known, None without one.
        trained_until: The last such time among the training rows, None without one.
        threshold: The probability from which the event is predicted.
        training_sample: The training rows or a sample of them, None if none was kept.
    """

    rows: Frame
    labels: np.ndarray
    predicted: Mapping[str, np.ndarray]
    kind: PredictionKind
    prediction_column: str
    groups: Sequence[str] = ()
    time: str | None = None
    trained_until: str | None = None
    threshold: float = 0.5
    training_sample: Frame | None = None

    @property
    def truth(self) -> np.ndarray:  # until 2.0
        """The former name of `labels`."""
        return self.labels

    def write(self, folder: Path) -> None:
        """Write rows, outcomes and settings, and a sample of the training rows if there are any."""
        folder.mkdir(parents=True, exist_ok=True)
        nw.from_native(self.rows, eager_only=True).write_parquet(str(folder / _ROWS))
        outcomes = {_LABELS: self.labels, **self.predicted}
        pq.write_table(pa.table({n: list(v) for n, v in outcomes.items()}), folder / _OUTCOMES)
        about = {stored: getattr(self, field) for field, stored in _STORED_NAMES.items()}
        (folder / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        if self.training_sample is not None:
            _sample(self.training_sample).write_parquet(str(folder / _TRAINING_SAMPLE))

    def group(self, column: str) -> np.ndarray:
        """The value of a column in each row."""
        return nw.from_native(self.rows, eager_only=True)[column].to_numpy()


def read_evaluation(folder: Path, engine: Engine) -> Evaluation:
    """Read what `Evaluation.write` has written.

    Raises:
        HandoffError: The folder contains no evaluation.
    """
    try:
        rows = nw.read_parquet(str(folder / _ROWS), backend=engine).to_native()
        outcomes = pq.read_table(folder / _OUTCOMES)
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except OSError as error:
        raise HandoffError(
            f"{folder} contains no evaluation: `uv run poe pipeline` makes one."
        ) from error
    columns = {name: np.asarray(outcomes[name].to_pylist()) for name in outcomes.column_names}
    file = folder / _TRAINING_SAMPLE
    sample = nw.read_parquet(str(file), backend=engine).to_native() if file.exists() else None
    stated = {field: about[stored] for field, stored in _STORED_NAMES.items() if stored in about}
    return Evaluation(rows, columns.pop(_LABELS), columns, training_sample=sample, **stated)


def _sample(rows: Frame) -> nw.DataFrame[Any]:
    """A random sample, the same for the same rows, in their order."""
    table = nw.from_native(rows, eager_only=True)
    # A fixed seed: DVC and the registry see no change where the training data have none.
    chosen = np.random.default_rng(2013).permutation(len(table))[:MAX_SAMPLE_ROWS]
    return nw.maybe_reset_index(table[sorted(chosen.tolist())])
