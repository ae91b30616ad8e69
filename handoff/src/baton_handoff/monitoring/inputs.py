"""What is watched: rows that were predicted for, and what came true of them."""

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from baton_handoff.contracts import Contract, Frame, canonical_form, from_json
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving.batch import score_file
from baton_handoff.serving.batch.parts import rejected_path
from baton_handoff.serving.batch.rows import FILE, REASON, ROW
from baton_handoff.serving.prediction_log import LoggedPrediction

REQUEST, POSITION, TRUTH = "request", "row", "truth"
"""The columns by which a file of truths names rows of the log, and what came true of them."""

_AT = "answered_at"


@dataclass(frozen=True)
class Watched:
    """Rows that were asked about.

    Attributes:
        rows: The rows, those that the contract refuses last.
        predicted: What was predicted for those that it accepts.
        moments: For each row when it was known, None where nothing says so.
        keys: For each row its request and its position there, None where it has none.
        rules: For each rule of the contract, with its column, how many rows break it.
        versions: How many rows each version has answered.
    """

    rows: pd.DataFrame
    predicted: pd.Series
    moments: pd.Series | None
    keys: pd.DataFrame | None
    rules: Counter[str]
    versions: Counter[int]

    @property
    def accepted(self) -> pd.DataFrame:
        """The rows that have a prediction."""
        return self.rows.iloc[: len(self.predicted)]

    def only(self, which: np.ndarray) -> "Watched":
        """Only some of the rows; which rules the others break is not known, so all are kept."""
        chosen, moments, keys = which[: len(self.predicted)], self.moments, self.keys
        return replace(
            self,
            rows=self.rows[which].reset_index(drop=True),
            predicted=self.predicted[chosen].reset_index(drop=True),
            moments=None if moments is None else moments[which].reset_index(drop=True),
            keys=None if keys is None else keys[which].reset_index(drop=True),
        )


def from_log(
    records: Iterable[LoggedPrediction], takes: Contract, about: Evaluation, period: "Period"
) -> Watched:
    """The rows of a prediction log.

    Args:
        records: The log.
        takes: The input contract.
        about: The evaluation, which says what is predicted and when a row is known.
        period: Which rows to look at.
    """
    columns = list(takes.to_schema().columns)
    rows: list[Any] = []
    others: list[tuple[str, int, str, int, Any]] = []
    for record in records:
        # What an earlier contract had not yet, or had besides, is no news of these rows.
        rows += [{name: row.get(name) for name in columns} for row in record.rows]
        others += [
            (record.request, place, record.at, record.version, answer[about.prediction_column])
            for place, answer in enumerate(record.predictions)
        ]
    table = pd.DataFrame(
        others, columns=[REQUEST, POSITION, _AT, "version", about.prediction_column]
    )
    frame = rows_of(from_json(takes, rows)) if rows else pd.DataFrame(columns=columns)
    moments = _moments(frame, about.time, pd.to_datetime(table[_AT], utc=True))
    found = Watched(
        frame,
        table[about.prediction_column],
        moments,
        table[[REQUEST, POSITION]],
        Counter(),
        Counter(),
    )
    which = period.holds(moments)
    return replace(found.only(which), versions=Counter(table["version"][which].tolist()))


def from_file(
    loaded: Loaded,
    contracts: tuple[Contract, Contract],
    file: Path,
    about: Evaluation,
    period: "Period",
) -> Watched:
    """The rows of a Parquet file, predicted for as batch scoring does it.

    Args:
        loaded: The version that predicts.
        contracts: Its input and output contract.
        file: The file.
        about: The evaluation, which says what is predicted and when a row is known.
        period: Which rows to look at.
    """
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "scored.parquet"
        score_file(loaded, *contracts, file, to)
        scored = _read(to)
        refused = _read(rejected_path(to)) if rejected_path(to).exists() else scored.head(0)
    names = [name for name in scored.columns if name in contracts[0].to_schema().columns]
    reasons = refused[REASON] if REASON in refused else pd.Series(dtype=object)
    rows = pd.concat([scored[names], refused[names]], ignore_index=True)
    moments = _moments(rows, about.time, None)
    found = Watched(rows, scored[about.prediction_column], moments, None, Counter(), Counter())
    which = np.ones(len(rows), bool) if moments is None else period.holds(moments)
    in_period = reasons[which[len(scored) :]]
    rules = Counter(rule for broken in in_period for rule in set(broken.split("; ")))
    found = found.only(which)
    return replace(found, rules=rules, versions=Counter({loaded.version: len(found.predicted)}))


@dataclass(frozen=True)
class Period:
    """Which rows to look at, by the moment that they were known; both ends may be open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, moments: pd.Series) -> np.ndarray:
        """Which moments lie in it, the last one not."""
        held = np.ones(len(moments), bool)
        if self.since:
            held &= (moments >= _in_utc(self.since)).to_numpy()
        if self.until:
            held &= (moments < _in_utc(self.until)).to_numpy()
        return held


def _in_utc(moment: datetime) -> pd.Timestamp:
    stated = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return pd.Timestamp(stated).tz_convert("UTC")


def _moments(
    rows: pd.DataFrame, time: str | None, answered: pd.Series | None
) -> Any:  # pandas has no type for it that both branches are of
    """When each row was known: by its own column, or else when it was answered."""
    return rows[time] if time and time in rows else answered


def truth_of(watched: Watched, file: Path, takes: Contract) -> pd.Series:
    """What came true of each row that has a prediction, null where that is not known yet.

    Args:
        watched: The rows.
        file: A Parquet file. It names rows by `request` and `row` of the prediction log, or by the
            columns that the input contract calls unique together; one more column is the truth.
        takes: The input contract.

    Raises:
        HandoffError: It can't be read, or names no rows, or some twice.
    """
    table = _read(file)
    stated = list(canonical_form(takes)["unique"])
    for key, rows in (([REQUEST, POSITION], watched.keys), (stated, watched.rows)):
        if key and rows is not None and set(key) <= set(table.columns):
            break
    else:
        by_key = f", or {', '.join(stated)}" if stated else ""
        raise HandoffError(
            f"{file} must name rows by {REQUEST} and {POSITION} of the prediction log{by_key}."
        )
    others = [name for name in table.columns if name not in key]
    column = TRUTH if TRUTH in others else others[0] if len(others) == 1 else None
    if column is None:
        raise HandoffError(f"{file} must hold what came true in a column called {TRUTH!r}.")
    if table.duplicated(key).any():
        raise HandoffError(f"{file} says of some rows twice what came true of them.")
    asked = rows.iloc[: len(watched.predicted)][key]
    try:
        joined = _alike(asked).merge(_alike(table[[*key, column]]), "left", on=key)
    except (ValueError, TypeError) as error:
        raise HandoffError(f"{file} names rows by columns of other types: {error}") from error
    found: pd.Series = joined[column]
    return found


def _alike(table: pd.DataFrame) -> pd.DataFrame:
    """The same with moments of one precision: files differ in it."""
    moments = table.select_dtypes("datetimetz").columns
    return table.astype(dict.fromkeys(moments, "datetime64[us, UTC]"))


def _read(file: Path) -> pd.DataFrame:
    try:
        table = nw.read_parquet(str(file), backend="pyarrow")
    except (OSError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        raise HandoffError(f"{file} can't be read as Parquet: {first}") from error
    frame: pd.DataFrame = table.to_pandas()
    return frame.drop(columns=[FILE, ROW], errors="ignore")


def rows_of(table: Frame) -> pd.DataFrame:
    """A table as everything here looks at it."""
    frame = nw.from_native(table, eager_only=True).to_pandas()
    return frame.reset_index(drop=True)
