"""What is monitored: rows with predictions, from the prediction log or a file, and their labels."""

import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from baton_handoff.contracts import Contract, Frame, canonical_form, from_json
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.monitoring.quality import BrokenRule
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.batch import score_file
from baton_handoff.serving.batch.parts import rejected_path
from baton_handoff.serving.batch.rows import FILE, REASON, ROW
from baton_handoff.serving.prediction_log import LoggedPrediction

REQUEST, POSITION, LABEL = "request", "row", "truth"
"""The columns of a file of labels: a row of the prediction log, and its label."""

_AT = "answered_at"


@dataclass(frozen=True)
class BaselineVersion:
    """A version with what its predictions are compared with.

    Attributes:
        loaded: The version, ready to predict.
        contracts: Its input and output contract.
        evaluation: Its evaluation, with a sample of the training rows.
    """

    loaded: Loaded
    contracts: tuple[Contract, Contract]
    evaluation: Evaluation

    @property
    def contract(self) -> Contract:
        """The input contract."""
        return self.contracts[0]


@dataclass(frozen=True)
class PredictedRows:
    """Rows with predictions.

    Attributes:
        rows: The rows, those that the contract refuses last.
        predicted: The predictions for the rows that it accepts.
        times: When each row became known, None if unknown.
        keys: The request of each row and its position there, None without requests.
        broken_rules: The number of rows that break each rule of the contract.
    """

    rows: pd.DataFrame
    predicted: pd.Series
    times: pd.Series | None
    keys: pd.DataFrame | None
    broken_rules: Counter[BrokenRule]

    @property
    def accepted(self) -> pd.DataFrame:
        """The rows that have a prediction."""
        return self.rows.iloc[: len(self.predicted)]

    def only(self, chosen: np.ndarray) -> "PredictedRows":
        """Some of the rows, by a mask; all broken rules are kept."""
        return replace(
            self,
            rows=self.rows[chosen].reset_index(drop=True),
            predicted=self.predicted[chosen[: len(self.predicted)]].reset_index(drop=True),
            times=None if self.times is None else self.times[chosen].reset_index(drop=True),
            keys=None if self.keys is None else self.keys[chosen].reset_index(drop=True),
        )


@dataclass(frozen=True)
class Period:
    """The rows to monitor, by the time when they became known; `until` is not included."""

    since: datetime | None = None
    until: datetime | None = None

    def contains(self, times: pd.Series) -> np.ndarray:
        """Which times are in the period, as a mask."""
        chosen = np.ones(len(times), bool)
        if self.since:
            chosen &= (times >= pd.to_datetime(self.since, utc=True)).to_numpy()
        if self.until:
            chosen &= (times < pd.to_datetime(self.until, utc=True)).to_numpy()
        return chosen


def rows_from_log(
    baseline: BaselineVersion, log: Iterable[LoggedPrediction], period: Period
) -> PredictedRows:
    """Read rows and predictions of a period from a prediction log."""
    time, prediction = baseline.evaluation.time, baseline.evaluation.prediction_column
    columns = list(baseline.contract.to_schema().columns)
    rows: list[Any] = []
    answers: list[tuple[str, int, str, Any]] = []
    for record in log:
        # Rows of an earlier contract can lack columns or have others; that is no finding.
        rows += [{name: row.get(name) for name in columns} for row in record.rows]
        answers += [
            (record.request, position, record.at, answer[prediction])
            for position, answer in enumerate(record.predictions)
        ]
    table = pd.DataFrame(answers, columns=[REQUEST, POSITION, _AT, prediction])
    frame = as_pandas(from_json(baseline.contract, rows)) if rows else pd.DataFrame(columns=columns)
    times = frame[time] if time and time in frame else pd.to_datetime(table[_AT], utc=True)
    found = PredictedRows(frame, table[prediction], times, table[[REQUEST, POSITION]], Counter())
    return found.only(period.contains(times))


def rows_from_file(baseline: BaselineVersion, file: Path, period: Period) -> PredictedRows:
    """Read rows of a period from a Parquet file and predict for them, as batch scoring does.

    If their times are unknown, all rows are read.
    """
    # Through batch scoring, so that exactly the rows are refused that it would refuse.
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "scored.parquet"
        score_file(baseline.loaded, *baseline.contracts, file, target)
        scored = _read(target)
        rejected_file = rejected_path(target)
        rejected = _read(rejected_file) if rejected_file.exists() else scored.head(0)
    names = [name for name in scored.columns if name in baseline.contract.to_schema().columns]
    rows = pd.concat([scored[names], rejected[names]], ignore_index=True)
    times = rows.get(baseline.evaluation.time)
    prediction = baseline.evaluation.prediction_column
    found = PredictedRows(rows, scored[prediction], times, None, Counter())
    chosen = np.ones(len(rows), bool) if times is None else period.contains(times)
    reasons = rejected[REASON][chosen[len(scored) :]] if REASON in rejected else ()
    broken_rules = Counter(rule for text in reasons for rule in _broken_rules(text, names))
    return replace(found.only(chosen), broken_rules=broken_rules)


def _broken_rules(reason: str, columns: Collection[str]) -> Iterator[BrokenRule]:
    """The rules in a reason of batch scoring: `COLUMN: RULE`, or only `RULE`, separated by `; `."""
    for text in set(reason.split("; ")):
        column, _, rule = text.partition(": ")
        yield BrokenRule(column, rule) if column in columns else BrokenRule(None, text)


def read_labels(predicted: PredictedRows, file: Path, contract: Contract) -> pd.Series:
    """Read the label of each row that has a prediction; null where it is unknown.

    Args:
        predicted: The rows.
        file: A Parquet file. It identifies rows by `request` and `row` of the prediction log, or by
            the columns that the input contract declares unique together; one more column is the
            label.
        contract: The input contract.

    Raises:
        HandoffError: The file can't be read, identifies no rows, or has two labels for a row.
    """
    table = _read(file)
    unique = list(canonical_form(contract)["unique"])
    for key, rows in (([REQUEST, POSITION], predicted.keys), (unique, predicted.rows)):
        if key and rows is not None and set(key) <= set(table.columns):
            break
    else:
        alternative = f", or {', '.join(unique)}" if unique else ""
        raise HandoffError(
            f"{file} must identify rows by the columns {REQUEST} and {POSITION} of the prediction"
            f" log{alternative}."
        )
    others = [name for name in table.columns if name not in key]
    column = LABEL if LABEL in others else others[0] if len(others) == 1 else None
    if column is None:
        raise HandoffError(f"{file} must contain the labels in a column {LABEL!r}.")
    if table.duplicated(key).any():
        raise HandoffError(f"{file} contains more than one label for the same row.")
    accepted = rows.iloc[: len(predicted.predicted)][key]
    try:
        joined = _microseconds(accepted).merge(_microseconds(table[[*key, column]]), "left", on=key)
    except (ValueError, TypeError) as error:
        raise HandoffError(f"{file} identifies rows by columns of another type: {error}") from error
    labels: pd.Series = joined[column]
    return labels


def as_pandas(table: Frame) -> pd.DataFrame:
    """A table of either engine as pandas', with positions as labels of its rows."""
    frame = nw.from_native(table, eager_only=True).to_pandas()
    return frame.reset_index(drop=True)


def _microseconds(table: pd.DataFrame) -> pd.DataFrame:
    """The table with times in one precision: files differ in it, and merging compares exactly."""
    times = table.select_dtypes("datetimetz").columns
    return table.astype(dict.fromkeys(times, "datetime64[us, UTC]"))


def _read(file: Path) -> pd.DataFrame:
    try:
        table = nw.read_parquet(str(file), backend="pyarrow")
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise HandoffError(f"{file} can't be read as Parquet: {reason}") from error
    frame: pd.DataFrame = table.to_pandas()
    return frame.drop(columns=[FILE, ROW], errors="ignore")
