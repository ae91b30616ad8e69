"""Watching a model in production: its data, its predictions, and what became of them.

What it holds rows against comes with the registered version: a sample of what it has learnt from,
and its evaluation. Nothing of it needs code of the project's own.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from baton_handoff.config.project import Project
from baton_handoff.config.settings import MonitorSettings
from baton_handoff.contracts import Contract, engine_of, model_interface, to_engine
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation.held_out import MODEL, Evaluation, read_evaluation
from baton_handoff.evaluation.metrics import MIN_GROUP_ROWS
from baton_handoff.monitoring.columns import Kind
from baton_handoff.monitoring.drift import Held, drifts, kinds_of
from baton_handoff.monitoring.inputs import Period, Watched, from_file, from_log, rows_of, truth_of
from baton_handoff.monitoring.observation import Seen, remaining, untouched
from baton_handoff.monitoring.performance import change, compared, performance
from baton_handoff.monitoring.periods import comparable
from baton_handoff.monitoring.quality import Quality, missing
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.model_registry import (
    download_artifact,
    get_version,
    load,
    registry_errors,
)
from baton_handoff.registry.register import EVALUATION
from baton_handoff.serving.prediction_log import read_log

__all__ = ["Asked", "Known", "Period", "known_of", "look", "watch", "with_truth"]


@dataclass(frozen=True)
class Known:
    """What is known of a version.

    Attributes:
        loaded: The version, ready to predict.
        takes: Its input contract.
        evaluation: What it was evaluated on, and what it has learnt from.
    """

    loaded: Loaded
    takes: Contract
    evaluation: Evaluation


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
            used; or another version is asked for without what came true.
    """
    if asked.against and not asked.truth:
        raise HandoffError(
            "Which of two versions is better, only what came true can tell: `--against` needs"
            " `--truth FILE`."
        )
    contracts = model_interface(project.room("contracts"))
    known = known_of(project, asked.version)
    if asked.rows:
        watched = from_file(known.loaded, contracts, asked.rows, known.evaluation, asked.period)
    else:
        log = read_log(project.predictions)
        watched = from_log(log, known.takes, known.evaluation, asked.period)
    seen = look(known, watched, project.monitor)
    if asked.truth is None or not len(watched.predicted):
        return seen
    truth = truth_of(watched, asked.truth, known.takes)
    challenger = load(project, asked.against) if asked.against else None
    return with_truth(seen, known, watched, truth, challenger)


@registry_errors()
def known_of(project: Project, wanted: str | None = None) -> Known:
    """A version with everything that rows are held against.

    Args:
        project: The project.
        wanted: An alias or a number; by default the alias that the project serves.

    Raises:
        HandoffError: There is none, or it comes without an evaluation.
    """
    takes, _ = model_interface(project.room("contracts"))
    version = get_version(project, wanted or project.alias)
    with tempfile.TemporaryDirectory() as scratch:
        folder = download_artifact(version, EVALUATION, Path(scratch))
        if folder is None:
            raise HandoffError(
                f"Version {version.version} of {project.model} was registered without an"
                " evaluation, so there is nothing to hold rows against: `uv run poe pipeline`, and"
                " register again."
            )
        evaluation = read_evaluation(folder, engine_of(takes))
    return Known(load(project, str(version.version)), takes, evaluation)


def look(known: Known, watched: Watched, settings: MonitorSettings) -> Seen:
    """Look at rows that were predicted for.

    Args:
        known: The version.
        watched: The rows.
        settings: What is worth an alert.
    """
    held = _held(known, watched)
    asked = [name for name in held.reference if name != held.answer]
    gaps = missing(held.reference[asked], held.current[asked], held.periods, settings)
    found = drifts(held, settings)
    count, answered = len(watched.rows), len(watched.predicted)
    return Seen(
        model=known.loaded.model,
        version=known.loaded.version,
        versions=watched.versions,
        covers=_covers(watched.moments),
        learnt=known.evaluation.training_sample is not None,
        held=held,
        quality=Quality(count, count - answered, watched.rules, gaps),
        drifts=found,
        remaining=remaining(held, found, untouched(held, found, gaps), settings),
        settings=settings,
    )


def with_truth(
    seen: Seen, known: Known, watched: Watched, truth: pd.Series, challenger: Loaded | None = None
) -> Seen:
    """The same with how good the predictions were.

    Args:
        seen: What a look has shown.
        known: The version.
        watched: The rows.
        truth: For each row that has a prediction what came true, null where that is not known.
        challenger: Another version to hold against it on the same rows, None for none.
    """
    there = truth.notna().to_numpy()
    seen = replace(seen, truths=int(there.sum()))
    if there.sum() < MIN_GROUP_ROWS:
        return seen
    moments = None if watched.moments is None else watched.moments.iloc[: len(there)][there]
    now = _outcomes(known, watched, truth, there)
    found = performance(now, known.evaluation, moments)
    if challenger is not None:
        said = rows_of(challenger.predict(now.rows))[now.prediction_column].to_numpy()
        found = replace(found, challenger=compared(now, challenger.version, said))
    _, clear = untouched(seen.held, seen.drifts, seen.quality.missing)
    there = there & clear[: len(there)]
    if there.sum() < MIN_GROUP_ROWS:
        return replace(seen, performance=found)
    apart = change(_outcomes(known, watched, truth, there), known.evaluation)
    return replace(seen, performance=found, apart=apart)


def _held(known: Known, watched: Watched) -> Held:
    evaluation, moments = known.evaluation, watched.moments
    learnt = evaluation.rows if evaluation.training_sample is None else evaluation.training_sample
    reference, answer = rows_of(learnt), evaluation.prediction_column
    periods = None
    if evaluation.time and moments is not None and len(moments):
        periods = comparable(reference[evaluation.time], moments)
    kinds: dict[str, Kind] = {
        name: kind for name, kind in kinds_of(known.takes).items() if name in reference
    }
    kinds[answer] = "category" if evaluation.kind == "class" else "number"
    said = rows_of(known.loaded.predict(learnt))[answer]
    return Held(
        reference=reference.assign(**{answer: said}),
        current=watched.rows.assign(**{answer: watched.predicted}),
        kinds=kinds,
        answer=answer,
        periods=periods,
    )


def _covers(moments: pd.Series | None) -> tuple[str, str] | tuple[()]:
    if moments is None or not len(moments):
        return ()
    return str(moments.min())[:16], str(moments.max())[:16]


def _outcomes(known: Known, watched: Watched, truth: pd.Series, which: np.ndarray) -> Evaluation:
    """Rows of which the truth is known, as an evaluation."""
    rows = watched.accepted[which].reset_index(drop=True)
    came, said = (np.asarray(values[which].tolist()) for values in (truth, watched.predicted))
    return replace(
        known.evaluation,
        rows=to_engine(rows, engine_of(known.takes)),
        labels=came.astype(int) if known.evaluation.kind == "probability" else came,
        predicted={MODEL: said},
        training_sample=None,
    )
