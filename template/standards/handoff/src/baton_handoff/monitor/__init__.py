"""Watching a model in production: its data, its predictions, and what became of them.

What it holds rows against comes with the registered version: a sample of what it has learnt from,
and its evaluation. Nothing of it needs code of the project's own.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from baton_handoff.contracts import Contract, Frame, border, engine_of, to_engine
from baton_handoff.errors import HandoffError
from baton_handoff.model.evaluation import ENOUGH, MODEL, Evaluation, read_evaluation
from baton_handoff.model.loaded import Loaded
from baton_handoff.model.register import EVALUATION
from baton_handoff.model.registry import answering, load, registry, version_at
from baton_handoff.model.validation import artifact
from baton_handoff.monitor.drift import Kind, drifts, kinds_of
from baton_handoff.monitor.inputs import Period, Watched, from_file, from_log, rows_of, truth_of
from baton_handoff.monitor.performance import change, compared, performance
from baton_handoff.monitor.periods import comparable
from baton_handoff.monitor.quality import Quality, missing
from baton_handoff.monitor.seen import Held, Seen, remaining, untouched
from baton_handoff.project import Project
from baton_handoff.service.prediction_log import read_log
from baton_handoff.settings import MonitorSettings

__all__ = ["Asked", "Period", "look", "watch"]


@dataclass(frozen=True)
class Asked:
    """What to look at.

    Attributes:
        version: The version to watch, an alias or a number; by default the one that is served.
        rows: A Parquet file of input rows, None for what the service has logged.
        truth: A Parquet file with what came true, None where nothing is known.
        period: Which rows to look at.
        against: Another version, to be held against it on the same rows, None for none.
    """

    version: str | None = None
    rows: Path | None = None
    truth: Path | None = None
    period: Period = field(default_factory=Period)
    against: str | None = None


def watch(project: Project, asked: Asked) -> Seen:
    """Look at what a version has predicted.

    Raises:
        HandoffError: The version can't be had, comes without an evaluation, or a file can't be
            used.
    """
    contracts = border(project.room("contracts"))
    evaluation = _evaluation(project, asked.version or project.alias, contracts[0])
    loaded = load(project, asked.version)
    if asked.rows:
        watched = from_file(loaded, contracts, asked.rows, evaluation, asked.period)
    else:
        log = read_log(project.predictions)
        watched = from_log(log, contracts[0], evaluation, asked.period)
    truth = truth_of(watched, asked.truth, contracts[0]) if asked.truth else None
    challenger = load(project, asked.against) if asked.against else None
    return look(watched, truth, evaluation, loaded, contracts[0], project.monitor, challenger)


@answering()
def _evaluation(project: Project, wanted: str, takes: Contract) -> Evaluation:
    registry(project)
    version = version_at(project, wanted)
    with tempfile.TemporaryDirectory() as scratch:
        folder = artifact(version, EVALUATION, Path(scratch))
        if folder is None:
            raise HandoffError(
                f"Version {version.version} of {project.model} was registered without an"
                " evaluation, so there is nothing to hold rows against: `uv run poe pipeline`, and"
                " register again."
            )
        return read_evaluation(folder, engine_of(takes))


def look(
    watched: Watched,
    truth: pd.Series | None,
    evaluation: Evaluation,
    loaded: Loaded,
    takes: Contract,
    settings: MonitorSettings,
    challenger: Loaded | None = None,
) -> Seen:
    """Look at rows that were predicted for.

    Args:
        watched: The rows.
        truth: For each row that has a prediction what came true, null where that is not known.
        evaluation: What the version came with.
        loaded: The version.
        takes: Its input contract.
        settings: What is worth an alert.
        challenger: Another version, None for none.
    """
    held = _held(watched, evaluation, loaded, takes)
    asked = [name for name in held.reference if name != held.answer]
    gaps = missing(held.reference[asked], held.current[asked], held.periods, settings)
    found = drifts(
        held.reference, held.current, held.kinds, held.periods, settings, held.answer
    )
    which = untouched(held, found, gaps)
    seen = Seen(
        model=loaded.model,
        version=loaded.version,
        versions=watched.versions,
        covers=_covers(watched.moments),
        learnt=evaluation.learnt is not None,
        held=held,
        quality=Quality(
            len(watched.rows), len(watched.rows) - len(watched.predicted), watched.rules, gaps
        ),
        drifts=found,
        remaining=remaining(held, found, which, settings),
        settings=settings,
    )
    if truth is None:
        return seen
    return _with_truth(seen, watched, truth, evaluation, which[1], challenger, takes)


def _held(watched: Watched, evaluation: Evaluation, loaded: Loaded, takes: Contract) -> Held:
    learnt = evaluation.rows if evaluation.learnt is None else evaluation.learnt
    reference = rows_of(learnt)
    answer = evaluation.answer
    kinds: dict[str, Kind] = {
        name: kind for name, kind in kinds_of(takes).items() if name in reference
    }
    said = reference.assign(**{answer: rows_of(loaded.predict(learnt))[answer]})
    time, moments = evaluation.time, watched.moments
    periods = None
    if time and moments is not None and len(moments):
        periods = comparable(reference[time], moments)
    kinds[answer] = "category" if evaluation.kind == "class" else "number"
    return Held(
        said, watched.rows.assign(**{answer: watched.predicted}), kinds, answer, periods
    )


def _covers(moments: pd.Series | None) -> tuple[str, str] | tuple[()]:
    if moments is None or not len(moments):
        return ()
    return str(moments.min())[:16], str(moments.max())[:16]


def _with_truth(
    seen: Seen,
    watched: Watched,
    truth: pd.Series,
    evaluation: Evaluation,
    untouched_rows: np.ndarray,
    challenger: Loaded | None,
    takes: Contract,
) -> Seen:
    known = truth.notna().to_numpy()
    seen = replace(seen, truths=int(known.sum()))
    if known.sum() < ENOUGH:
        return seen
    moments = None if watched.moments is None else watched.moments.iloc[: len(known)][known]
    now = _outcomes(watched, truth, known, evaluation, takes)
    found = performance(now, evaluation, moments)
    if challenger is not None:
        other = rows_of(challenger.predict(now.rows))[evaluation.answer].to_numpy()
        found = replace(found, challenger=compared(now, challenger.version, other))
    clear = known & untouched_rows[: len(known)]
    apart = None
    if clear.sum() >= ENOUGH:
        apart = change(_outcomes(watched, truth, clear, evaluation, takes), evaluation)
    return replace(seen, performance=found, apart=apart)


def _outcomes(
    watched: Watched, truth: pd.Series, which: np.ndarray, evaluation: Evaluation, takes: Contract
) -> Evaluation:
    """The rows of which the truth is known, as an evaluation."""
    convert: Callable[[pd.Series], np.ndarray] = lambda v: np.asarray(v.tolist())  # noqa: E731
    rows: Frame = to_engine(watched.accepted[which].reset_index(drop=True), engine_of(takes))
    came, said = convert(truth[which]), convert(watched.predicted[which])
    if evaluation.kind == "probability":
        came = came.astype(int)
    return replace(evaluation, rows=rows, truth=came, predicted={MODEL: said}, learnt=None)
