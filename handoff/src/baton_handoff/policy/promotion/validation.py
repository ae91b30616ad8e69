"""Validation: measure everything that the gates judge, by running the version.

Build its environment from its lock, predict in an isolated process with the version's own code,
start the service with it and send requests.
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
from baton_handoff.contracts import engine_of, model_interface, to_rows
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
from baton_handoff.policy.promotion import isolated_prediction
from baton_handoff.policy.promotion.candidate import Candidate, IsolatedPrediction, ServiceAnswers
from baton_handoff.policy.status.promotion_practices import promotion_requirements
from baton_handoff.registry.alias_moves import aliased_version
from baton_handoff.registry.card_statements import STATEMENTS_FILE, statements
from baton_handoff.registry.code_hash import code_hash
from baton_handoff.registry.model_registry import download_artifact, has_artifact
from baton_handoff.registry.register import EVALUATION
from baton_handoff.registry.version_facts import CHAMPION
from baton_handoff.serving.running import running

_REQUESTS = 40
"""Rows that are sent to the running service, one a request."""

Progress: TypeAlias = Callable[[str], None]


def validate(
    project: Project, client: mlflow.MlflowClient, version: ModelVersion, progress: Progress
) -> Candidate:
    """Run a version in isolation and in the service, and the champion on the same rows.

    Args:
        project: The project, checked out at the code that the service runs.
        client: The registry.
        version: The version.
        progress: Called with a line for each step.
    """
    progress(f"Version {version.version} of {project.model}:")
    # First, because a mistake in handoff.toml shows here at once.
    practices = promotion_requirements(project, int(version.version))
    tags, service_code = version.tags, code_hash(project.source)
    input_schema, _ = model_interface(project.room("contracts"))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        stored = download_artifact(version, EVALUATION, scratch)
        evaluation = read_evaluation(stored, engine_of(input_schema)) if stored else None
        rows = scratch / EVALUATION / "rows.parquet"

        def isolated(of: ModelVersion, name: str) -> tuple[str, IsolatedPrediction | None]:
            """The error of its environment, and its prediction."""
            uri = f"models:/{project.model}/{of.version}"
            (scratch / name).mkdir()
            model = mlflow.artifacts.download_artifacts(uri, dst_path=str(scratch / name))
            python, error = _environment(project, of, scratch)
            if error or evaluation is None:
                return error, None
            progress(f"  predicting with the code of version {of.version} …")
            results = scratch / f"{name}-results"
            return "", _isolated_prediction(python, Path(model), rows, evaluation, results)

        progress("  building its environment …")
        environment_error, prediction = isolated(version, "version")
        service = ServiceAnswers("the isolated prediction did not succeed")
        works = prediction and prediction.predictions is not None
        if works and evaluation and tags.get("handoff.code") == service_code:
            progress("  sending requests to the service …")
            service = _service_answers(project, version, evaluation)
        champion = aliased_version(client, project, CHAMPION)
        champion_prediction, champion_contracts = None, None
        if champion is not None:
            former = client.get_model_version(project.model, str(champion))
            champion_contracts = _contracts(former)
            error, champion_prediction = isolated(former, "champion")
            if error:
                champion_prediction = IsolatedPrediction("load", error)
    card = project.root / STATEMENTS_FILE
    return Candidate(
        version=int(version.version),
        environment_error=environment_error,
        prediction=prediction,
        service=service,
        evaluation=evaluation,
        commit=tags.get("handoff.commit", ""),
        clean=tags.get("handoff.clean") == "true",
        code=tags.get("handoff.code", ""),
        service_code=service_code,
        contracts=_contracts(version),
        card=has_artifact(version, "card/card.html"),
        statements=statements(card.read_text(encoding="utf-8")) if card.exists() else {},
        sources=assess_sources(source_usage(project)),
        practices=practices,
        champion=champion,
        champion_contracts=champion_contracts,
        champion_prediction=champion_prediction,
    )


def _contracts(version: ModelVersion) -> dict[str, Any]:
    lineage = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/lineage.json")
    return {
        name: form
        for name, form in lineage["contracts"].items()
        if form["metadata"].get("position") in ("input", "output")
    }


def _environment(project: Project, version: ModelVersion, scratch: Path) -> tuple[Path, str]:
    """An environment with exactly what the version's lock pins, built once for each lock.

    Returns:
        Its Python, and the error of building it, empty if that worked.
    """
    place = project.local / "environments" / version.tags.get("handoff.lock", "none")[:16]
    python = environment_python(place)
    if is_complete(place):
        return python, ""
    requirements = download_artifact(version, "requirements.txt", scratch)
    if requirements is None:
        return python, "the version was registered without a lock"
    return python, create_environment(place, requirements)


def _isolated_prediction(
    python: Path, model: Path, rows: Path, evaluation: Evaluation, to: Path
) -> IsolatedPrediction:
    to.mkdir()
    done = subprocess.run(
        [python, "-P", isolated_prediction.__file__, model, rows, evaluation.time or "", to],
        cwd=to,
        env=isolated_variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    report = to / "report.json"
    if not report.exists():
        lines = done.stderr.strip().splitlines() or [f"its process exited with {done.returncode}"]
        return IsolatedPrediction("load", lines[-1])

    def column(name: str) -> np.ndarray | None:
        if not (to / name).exists():
            return None
        table = nw.read_parquet(str(to / name), backend="pyarrow")
        return np.asarray(table[evaluation.prediction_column].to_list())

    in_parts = column("in_parts.parquet")
    return IsolatedPrediction(
        **json.loads(report.read_text(encoding="utf-8")),
        predictions=column("predictions.parquet"),
        in_parts=None
        if in_parts is None
        else (json.loads((to / "in_parts.json").read_text(encoding="utf-8")), in_parts),
    )


def _service_answers(
    project: Project, version: ModelVersion, evaluation: Evaluation
) -> ServiceAnswers:
    """Start the service with a version, and send it single rows."""
    count = len(evaluation.labels)
    # The seed is fixed: each validation of a version sends the same rows.
    rows = sorted(np.random.default_rng(2013).permutation(count)[:_REQUESTS].tolist())
    table = nw.from_native(evaluation.rows, eager_only=True)[rows]
    bodies = to_rows(table.to_native())
    predictions, milliseconds = [], []
    try:
        with running(project, str(version.version)) as address:
            # The first request is sent twice: it fills caches, so its time is not typical.
            for row in [bodies[0], *bodies]:
                started = time.perf_counter()
                predictions.append(_predict(address, row)[evaluation.prediction_column])
                milliseconds.append(1000 * (time.perf_counter() - started))
    except (HandoffError, OSError) as error:
        return ServiceAnswers(str(error))
    return ServiceAnswers("", rows, predictions[1:], milliseconds[1:])


def _predict(address: str, row: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps({"rows": [row]}, default=datetime.isoformat).encode()
    request = Request(f"{address}/predict", body, {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request, timeout=60) as response:  # noqa: S310 (this machine)
        predictions: list[dict[str, Any]] = json.load(response)["predictions"]
    return predictions[0]
