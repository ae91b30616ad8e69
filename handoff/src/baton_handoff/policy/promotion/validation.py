"""Validation: everything that the gates look at, found out by running the version.

Its environment is made anew from its lock; a process that knows nothing of the project predicts by
the version's own code; the service is started with it and asked.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias
from urllib.request import Request, urlopen

import mlflow
import narwhals as nw
import numpy as np
from mlflow.entities.model_registry import ModelVersion

from baton_handoff.config.project import Project
from baton_handoff.contracts import Engine, engine_of, model_interface, to_rows
from baton_handoff.core.environments import (
    create_environment,
    environment_python,
    is_complete,
    isolated_variables,
)
from baton_handoff.core.errors import HandoffError
from baton_handoff.evaluation.held_out import Evaluation, read_evaluation
from baton_handoff.lineage.sources.assessment import assess_sources
from baton_handoff.lineage.sources.usage import source_usage
from baton_handoff.policy.promotion import isolated_prediction as trial
from baton_handoff.policy.promotion.candidate import Candidate, IsolatedPrediction, ServiceAnswers
from baton_handoff.policy.status.promotion_practices import promotion_requirements
from baton_handoff.registry.alias_moves import aliased_version
from baton_handoff.registry.code_hash import code_hash
from baton_handoff.registry.model_card import STATEMENTS_FILE, statements
from baton_handoff.registry.model_registry import download_artifact, has_artifact
from baton_handoff.registry.register import EVALUATION
from baton_handoff.registry.version_facts import CHAMPION
from baton_handoff.serving.running import running

ASKED = 40
"""Rows that the running service is asked about, one at a time."""

Say: TypeAlias = Callable[[str], None]


def candidate_of(
    project: Project, client: mlflow.MlflowClient, version: ModelVersion, say: Say
) -> Candidate:
    """Have a version tried, by a stranger and by the service, and the champion on the same rows.

    Args:
        project: The project, checked out at the code that the service runs.
        client: The registry.
        version: The version.
        say: Where progress is told.
    """
    say(f"Version {version.version} of {project.model}:")
    # First what says at once what is wrong with handoff.toml.
    practices = promotion_requirements(project, int(version.version))
    tags = version.tags
    takes, _ = model_interface(project.room("contracts"))
    with tempfile.TemporaryDirectory() as scratch:
        whole = _downloaded(project, version, Path(scratch) / "version")
        evaluation = _evaluation(version, Path(scratch), engine_of(takes))
        say("  rebuilding its environment …")
        python, complaint = _environment(project, version, Path(scratch))
        rows = Path(scratch) / EVALUATION / "rows.parquet"
        tried = None
        if not complaint and evaluation:
            say("  predicting by its own code …")
            tried = _tried(python, whole, rows, evaluation, Path(scratch) / "tried")
        served = ServiceAnswers("the trial did not succeed")
        own = code_hash(project.source)
        if (
            tried
            and tried.predictions is not None
            and evaluation
            and tags.get("handoff.code") == own
        ):
            say("  asking the service …")
            served = _served(project, version, evaluation)
        champion = aliased_version(client, project, CHAMPION)
        former_tried, former_contracts = None, None
        if champion is not None:
            say(f"  predicting by champion {champion} …")
            before = client.get_model_version(project.model, str(champion))
            former_whole = _downloaded(project, before, Path(scratch) / "champion")
            former_contracts = _contracts(before)
            if evaluation:
                python, stopped = _environment(project, before, Path(scratch))
                former_tried = (
                    IsolatedPrediction("load", stopped)
                    if stopped
                    else _tried(python, former_whole, rows, evaluation, Path(scratch) / "former")
                )
    return Candidate(
        version=int(version.version),
        environment=complaint,
        tried=tried,
        served=served,
        evaluation=evaluation,
        commit=tags.get("handoff.commit", ""),
        clean=tags.get("handoff.clean") == "true",
        code=tags.get("handoff.code", ""),
        own_code=own,
        contracts=_contracts(version),
        card=has_artifact(version, "card/card.html"),
        said=_stated(project),
        sources=assess_sources(source_usage(project)),
        practices=practices,
        champion=champion,
        champion_contracts=former_contracts,
        champion_tried=former_tried,
    )


def _downloaded(project: Project, version: ModelVersion, to: Path) -> Path:
    to.mkdir()
    uri = f"models:/{project.model}/{version.version}"
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(to)))


def _evaluation(version: ModelVersion, scratch: Path, engine: Engine) -> Evaluation | None:
    folder = download_artifact(version, EVALUATION, scratch)
    return read_evaluation(folder, engine) if folder else None


def _contracts(version: ModelVersion) -> dict[str, Any]:
    lineage = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/lineage.json")
    return {
        name: form
        for name, form in lineage["contracts"].items()
        if form["metadata"].get("position") in ("input", "output")
    }


def _stated(project: Project) -> dict[str, str]:
    file = project.root / STATEMENTS_FILE
    return statements(file.read_text(encoding="utf-8")) if file.exists() else {}


def _environment(project: Project, version: ModelVersion, scratch: Path) -> tuple[Path, str]:
    """An environment with exactly what the version's lock says, made once for each lock.

    Returns:
        Its Python, and what stopped it from being made, empty where nothing did.
    """
    place = project.local / "environments" / version.tags.get("handoff.lock", "none")[:16]
    python = environment_python(place)
    if is_complete(place):
        return python, ""
    wanted = download_artifact(version, "requirements.txt", scratch)
    if wanted is None:
        return python, "the version was registered without one"
    return python, create_environment(place, wanted)


def _tried(
    python: Path, whole: Path, rows: Path, evaluation: Evaluation, to: Path
) -> IsolatedPrediction:
    """Have a stranger try a version."""
    to.mkdir()
    done = subprocess.run(
        [python, "-P", trial.__file__, whole, rows, evaluation.time or "", to],
        cwd=to,
        env=isolated_variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    report = to / "report.json"
    if not report.exists():
        lines = done.stderr.strip().splitlines() or [f"its process ended with {done.returncode}"]
        return IsolatedPrediction("load", lines[-1])
    said = json.loads(report.read_text(encoding="utf-8"))
    predictions, fewer = to / "predictions.parquet", to / "fewer.parquet"
    return IsolatedPrediction(
        **said,
        predictions=_column(predictions, evaluation) if predictions.exists() else None,
        fewer=(
            json.loads((to / "fewer.json").read_text(encoding="utf-8")),
            _column(fewer, evaluation),
        )
        if fewer.exists()
        else None,
    )


def _column(file: Path, evaluation: Evaluation) -> np.ndarray:
    table = nw.read_parquet(str(file), backend="pyarrow")
    return np.asarray(table[evaluation.prediction_column].to_list())


def _served(project: Project, version: ModelVersion, evaluation: Evaluation) -> ServiceAnswers:
    """Start the service with a version, and ask it row by row."""
    count = len(evaluation.labels)
    rows = sorted(np.random.default_rng(2013).permutation(count)[:ASKED].tolist())
    table = nw.from_native(evaluation.rows, eager_only=True)[rows]
    asked = to_rows(table.to_native())
    answers, took = [], []
    try:
        with running(project, str(version.version)) as address:
            for row in [asked[0], *asked]:  # the first one finds everything cold
                began = time.perf_counter()
                answers.append(_answer(address, row)[evaluation.prediction_column])
                took.append(1000 * (time.perf_counter() - began))
    except (HandoffError, OSError) as error:
        return ServiceAnswers(str(error))
    return ServiceAnswers("", rows, answers[1:], took[1:])


def _answer(address: str, row: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps({"rows": [row]}, default=datetime.isoformat).encode()
    request = Request(f"{address}/predict", body, {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request, timeout=60) as answer:  # noqa: S310 (this machine)
        predictions: list[dict[str, Any]] = json.load(answer)["predictions"]
    return predictions[0]
