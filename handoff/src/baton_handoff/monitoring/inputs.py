"""What is monitored: rows with predictions, from the prediction log or a file, and their labels."""

import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from pyarrow import parquet

from baton_handoff.contracts import Contract, Frame, canonical_form, from_json
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.monitoring.quality import BrokenRule
from baton_handoff.monitoring.sampling import Sample
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.batch import score_file
from baton_handoff.serving.batch.parts import rejected_path
from baton_handoff.serving.batch.rows import FILE, REASON, ROW
from baton_handoff.serving.prediction_log import LoggedPrediction

REQUEST, POSITION, LABEL = "request", "row", "truth"
"""The columns of a file of labels: a row of the prediction log, and its label."""

_AT = "answered_at"

_PART_ROWS = 20_000
"""About how many rows are read at a time."""


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
        total: The number of rows of the period, if `rows` are a sample of them.
        total_refused: The number of these that the contract refuses.
        ends: The first and the last time of these, empty if unknown.
    """

    rows: pd.DataFrame
    predicted: pd.Series
    times: pd.Series | None
    keys: pd.DataFrame | None
    broken_rules: Counter[BrokenRule]

    total: int | None = None
    total_refused: int | None = None
    ends: tuple[pd.Timestamp, ...] | None = None

    @property
    def accepted(self) -> pd.DataFrame:
        """The rows that have a prediction."""
        return self.rows.iloc[: len(self.predicted)]

    @property
    def refused(self) -> int:
        """How many rows of the period the contract refuses."""
        known = self.total_refused
        return len(self.rows) - len(self.predicted) if known is None else known


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
    prediction = baseline.evaluation.prediction_column
    columns = list(baseline.contract.to_schema().columns)
    sample, rows, answers = Sample(), list[Any](), list[tuple[str, int, str, Any]]()

    def add() -> None:
        facts = pd.DataFrame(answers, columns=[REQUEST, POSITION, _AT, prediction])
        known = from_json(baseline.contract, rows) if rows else pd.DataFrame(columns=columns)
        frame = as_pandas(known)
        times = _times(baseline, frame)
        times = pd.to_datetime(facts[_AT], utc=True) if times is None else times
        sample.add(frame, facts.assign(**{_AT: times}), period.contains(times), times)
        rows.clear()
        answers.clear()

    for record in log:
        # Rows of an earlier contract can lack columns or have others; that is no finding.
        rows += [{name: row.get(name) for name in columns} for row in record.rows]
        answers += [
            (record.request, position, record.at, answer[prediction])
            for position, answer in enumerate(record.predictions)
        ]
        if len(rows) >= _PART_ROWS:
            add()
    add()
    frame, facts = sample.tables()
    keys = facts[[REQUEST, POSITION]]
    return PredictedRows(
        frame, facts[prediction], facts[_AT], keys, Counter(), sample.count, 0, sample.ends
    )


def rows_from_file(baseline: BaselineVersion, file: Path, period: Period) -> PredictedRows:
    """Read rows of a period from a Parquet file and predict for them, as batch scoring does.

    If their times are unknown, all rows are read.
    """
    # Through batch scoring, so that exactly the rows are refused that it would refuse.
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "scored.parquet"
        score_file(baseline.loaded, *baseline.contracts, file, target)
        prediction = baseline.evaluation.prediction_column
        sample, refused, broken_rules = Sample(), 0, Counter[BrokenRule]()
        # The rows that the contract refuses are last.
        for scored in filter(Path.exists, (target, rejected_path(target))):
            is_refused = scored != target
            for part in _parts(scored):
                names = [n for n in part.columns if n in baseline.contract.to_schema().columns]
                times = _times(baseline, part)
                chosen = np.ones(len(part), bool) if times is None else period.contains(times)
                facts = pd.DataFrame({REASON: is_refused}, index=part.index)
                facts[prediction] = None if is_refused else part[prediction]
                sample.add(part[names], facts, chosen, times)
                if is_refused:
                    refused += int(chosen.sum())
                    for text in part[REASON][chosen]:
                        broken_rules.update(_broken_rules(text, names))
    rows, facts = sample.tables()
    predicted = facts[prediction][~facts[REASON].to_numpy(bool)].infer_objects()
    times = _times(baseline, rows)
    return PredictedRows(
        rows, predicted, times, None, broken_rules, sample.count, refused, sample.ends
    )


def _times(baseline: BaselineVersion, rows: pd.DataFrame) -> pd.Series | None:
    """When each row became known, None if no column has it."""
    return rows.get(baseline.evaluation.time) if baseline.evaluation.time else None


def _parts(file: Path) -> Iterator[pd.DataFrame]:
    """A Parquet file as tables; one without rows if it has none."""
    with parquet.ParquetFile(file) as source:
        empty = source.schema_arrow.empty_table()
        yield empty.to_pandas(ignore_metadata=True)
        for batch in source.iter_batches(_PART_ROWS):
            yield batch.to_pandas(ignore_metadata=True)


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
