"""Monitoring of a model in production: its data, its predictions and their labels.

The reference comes with the registered version: a sample of its training rows, and its evaluation.
None of it needs the project's own code.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from baton_handoff.config.project import Project
from baton_handoff.config.settings import MonitorSettings
from baton_handoff.contracts import engine_of, model_interface, to_engine
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation.held_out import MODEL, Evaluation, read_evaluation
from baton_handoff.evaluation.metrics import MIN_GROUP_ROWS
from baton_handoff.monitoring.drift import Samples, column_kinds, drifts
from baton_handoff.monitoring.inputs import (
    BaselineVersion,
    Period,
    PredictedRows,
    as_pandas,
    read_labels,
    rows_from_file,
    rows_from_log,
)
from baton_handoff.monitoring.observation import Observation, remaining_drifts, unaffected_rows
from baton_handoff.monitoring.performance import change, compare_challenger, only, performance
from baton_handoff.monitoring.periods import comparable_periods, one_period
from baton_handoff.monitoring.quality import missing_values
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.model_registry import (
    download_artifact,
    get_version,
    load,
    registry_errors,
)
from baton_handoff.registry.register import EVALUATION
from baton_handoff.serving.prediction_log import read_log


@dataclass(frozen=True)
class MonitorOptions:
    """What to monitor.

    Attributes:
        version: The version, by alias or number; by default the one that is served.
        rows: A Parquet file of input rows, None for the prediction log.
        labels: A Parquet file of labels, None without labels.
        period: The rows to monitor.
        against: Another version to compare on the same rows, None for no other.
    """

    version: str | None = None
    rows: Path | None = None
    labels: Path | None = None
    period: Period = field(default_factory=Period)
    against: str | None = None


def monitor(project: Project, options: MonitorOptions) -> Observation:
    """Monitor the predictions of a version.

    Raises:
        HandoffError: The version can't be loaded or has no evaluation; a file can't be used; or
            another version is requested without labels.
    """
    if options.against and not options.labels:
        raise HandoffError("`--against` compares versions by labels: add `--truth FILE`.")
    baseline = load_baseline(project, options.version)
    if options.rows:
        rows = rows_from_file(baseline, options.rows, options.period)
    else:
        rows = rows_from_log(baseline, read_log(project.predictions), options.period)
    observation = observe(baseline, rows, project.monitor)
    if options.labels is None or not len(rows.predicted):
        return observation
    labels = read_labels(rows, options.labels, baseline.contract)
    challenger = load(project, options.against) if options.against else None
    return with_labels(observation, baseline, rows, labels, challenger)


@registry_errors()
def load_baseline(project: Project, version: str | None = None) -> BaselineVersion:
    """Load a version with what its predictions are compared with.

    Args:
        project: The project.
        version: An alias or a number; by default the alias that is served.

    Raises:
        HandoffError: There is no such version, or it has no evaluation.
    """
    contracts = model_interface(project.room("contracts"))
    registered = get_version(project, version or project.alias)
    with tempfile.TemporaryDirectory() as scratch:
        folder = download_artifact(registered, EVALUATION, Path(scratch))
        if folder is None:
            raise HandoffError(
                f"Version {registered.version} of {project.model} was registered without an"
                " evaluation, so its predictions can't be compared with anything: run `uv run poe"
                " pipeline` and register again."
            )
        evaluation = read_evaluation(folder, engine_of(contracts[0]))
    return BaselineVersion(load(project, str(registered.version)), contracts, evaluation)


def observe(
    baseline: BaselineVersion, rows: PredictedRows, settings: MonitorSettings
) -> Observation:
    """Compare rows and their predictions with those that a version was trained on.

    Args:
        baseline: The version.
        rows: The rows.
        settings: The limits.
    """
    samples, times = _samples(baseline, rows), rows.times
    ends = rows.ends
    if ends is None:
        ends = () if times is None or not len(times) else (times.min(), times.max())
    inputs = [name for name in samples.reference if name != samples.prediction_column]
    missing = missing_values(
        samples.reference[inputs], samples.current[inputs], samples.periods, settings
    )
    found = drifts(samples, settings)
    unaffected = unaffected_rows(samples, found, missing)
    return Observation(
        model=baseline.loaded.model,
        version=baseline.loaded.version,
        covers=tuple(str(time)[:16] for time in ends),
        samples=samples,
        refused=rows.refused,
        total=rows.total,
        broken_rules=rows.broken_rules,
        missing=missing,
        drifts=found,
        remaining=remaining_drifts(samples, found, unaffected, settings),
        with_training=baseline.evaluation.training_sample is not None,
        settings=settings,
    )


def with_labels(
    observation: Observation,
    baseline: BaselineVersion,
    rows: PredictedRows,
    labels: pd.Series,
    challenger: Loaded | None = None,
) -> Observation:
    """The observation with the performance of the predictions.

    Args:
        observation: The observation without it.
        baseline: The version.
        rows: The rows.
        labels: The label of each row that has a prediction, null where it is unknown.
        challenger: Another version to compare on the same rows, None for no other.
    """
    known = labels.notna().to_numpy()
    observation = replace(observation, labelled_rows=int(known.sum()))
    if known.sum() < MIN_GROUP_ROWS:
        return observation
    times = None if rows.times is None else rows.times.iloc[: len(known)][known]
    current = _labelled(baseline, rows, labels, known)
    found = performance(current, baseline.evaluation, times)
    if challenger is not None:
        predicted = as_pandas(challenger.predict(current.rows))[current.prediction_column]
        compared = compare_challenger(current, challenger.version, predicted.to_numpy())
        found = replace(found, challenger=compared)
    _, unaffected = unaffected_rows(observation.samples, observation.drifts, observation.missing)
    chosen = unaffected[: len(known)][known]
    if chosen.sum() < MIN_GROUP_ROWS:
        return replace(observation, performance=found)
    rest = change(only(current, chosen), baseline.evaluation)
    return replace(observation, performance=found, unaffected=rest)


def _samples(baseline: BaselineVersion, rows: PredictedRows) -> Samples:
    evaluation = baseline.evaluation
    sample = evaluation.rows if evaluation.training_sample is None else evaluation.training_sample
    reference, prediction = as_pandas(sample), evaluation.prediction_column
    periods = one_period(reference)
    if evaluation.time and rows.times is not None and len(rows.times):
        periods = comparable_periods(reference[evaluation.time], rows.times)
    kinds = {n: kind for n, kind in column_kinds(baseline.contract).items() if n in reference}
    kinds[prediction] = "category" if evaluation.kind == "class" else "number"
    predicted = as_pandas(baseline.loaded.predict(sample))
    return Samples(
        reference=reference.assign(**{prediction: predicted[prediction]}),
        current=rows.rows.assign(**{prediction: rows.predicted}),
        kinds=kinds,
        prediction_column=prediction,
        periods=periods,
    )


def _labelled(
    baseline: BaselineVersion, rows: PredictedRows, labels: pd.Series, known: np.ndarray
) -> Evaluation:
    """The rows whose labels are known, as an evaluation."""
    accepted = rows.accepted[known].reset_index(drop=True)
    # From Python's values: pandas' own types with gaps are no types of numpy.
    values, predicted = (np.asarray(v[known].tolist()) for v in (labels, rows.predicted))
    return replace(
        baseline.evaluation,
        rows=to_engine(accepted, engine_of(baseline.contract)),
        labels=values.astype(int) if baseline.evaluation.kind == "probability" else values,
        predicted={MODEL: predicted},
        training_sample=None,
    )
