"""Run a version of which nothing is trusted: predict with it, and serve it."""

import json
import logging
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from baton_handoff.config.project import Project
from baton_handoff.contracts import to_rows
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.isolation import missing_namespaces, start_isolated
from baton_handoff.evaluation.held_out import Evaluation
from baton_handoff.policy.promotion import isolated_prediction
from baton_handoff.policy.promotion.candidate import IsolatedPrediction, ServiceAnswers
from baton_handoff.registry.loaded import FETCHED
from baton_handoff.serving.running import running_isolated, start_with_version

_log = logging.getLogger(__name__)

_REQUESTS = 40
"""Rows that are sent to the running service, one a request."""

_MORE_ROWS, _TOGETHER, _MORE_SECONDS = 20_000, 100, 60
"""Rows that are sent as well, how many in one request, and how long at most."""

_PREDICTION_SECONDS, _ANSWER_SECONDS = 1800, 60


def describe_isolation() -> str:
    """Describe what a version can't reach while it is tried."""
    rights = "none of the promotion's variables"
    if reason := missing_namespaces():
        return (
            f"it ran with {rights}, but could use this user's files, processes and network, because"
            f" this system allows no namespaces ({reason})"
        )
    return f"it ran without network, with {rights}, and with no files but its own"


def predict_isolated(
    python: Path, model: Path, rows: Path, evaluation: Evaluation, to: Path
) -> IsolatedPrediction:
    """Predict with a version in its own environment, by its own code."""
    to.mkdir()
    process = start_isolated(
        [python, "-P", isolated_prediction.__file__, model, rows, evaluation.time or "", to],
        to,
        visible=[Path(isolated_prediction.__file__), model, rows],
        writable=[to],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _, errors = process.communicate(timeout=_PREDICTION_SECONDS)
    except subprocess.TimeoutExpired:
        return IsolatedPrediction("load", f"it takes more than {_PREDICTION_SECONDS} seconds")
    finally:
        process.kill()
        process.wait()
    try:
        return _prediction(evaluation, to)
    # The version can write anything there.
    except Exception:  # noqa: BLE001
        code = process.returncode
        lines = errors.strip().splitlines() or [f"its process exited with {code}"]
        return IsolatedPrediction("load", lines[-1])


def _prediction(evaluation: Evaluation, to: Path) -> IsolatedPrediction:
    report = json.loads((to / "report.json").read_text(encoding="utf-8"))

    def column(name: str) -> np.ndarray | None:
        if not (to / name).exists():
            return None
        table = nw.read_parquet(str(to / name), backend="pyarrow")
        return np.asarray(table[evaluation.prediction_column].to_list())

    predictions, in_parts = column("predictions.parquet"), column("in_parts.parquet")
    if predictions is not None and len(predictions) != len(evaluation.labels):
        count = f"{len(predictions):,} rows for {len(evaluation.labels):,}"
        return IsolatedPrediction("predict", f"it predicts {count}")
    return IsolatedPrediction(
        report["step"],
        str(report["error"]),
        str(report["contract"]),
        predictions,
        None
        if in_parts is None
        else (json.loads((to / "in_parts.json").read_text(encoding="utf-8")), in_parts),
    )


_FOR_SCENARIOS = (
    *("tests", "data", "standards", "params.yaml", "pyproject.toml", "uv.lock", "conftest.py"),
    *("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg"),
)
"""What acceptance scenarios may read of the project, beside its code and settings."""


@contextmanager
def isolated_scenarios(
    project: Project, version: Path
) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Yield what starts acceptance scenarios in a process that loads and serves a version.

    Args:
        project: The project.
        version: The version's folder, as `fetch` makes it.
    """
    if reason := missing_namespaces():
        _log.warning(
            "The scenarios get none of your variables, but the model can use your files, processes"
            " and network, because this system allows no namespaces (%s).",
            reason,
        )
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder).resolve()
        variables = {
            FETCHED: str(version.resolve()),
            "HANDOFF_ALIAS": project.alias,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
            # The project's folder is read-only.
            "PYTEST_ADDOPTS": f"-p no:cacheprovider {os.environ.get('PYTEST_ADDOPTS', '')}",
        }

        def start(command: Sequence[str], **options: Any) -> "subprocess.Popen[str]":
            streams = {name: options[name] for name in ("stdout", "stderr")}
            visible = [version.resolve(), *(project.root / name for name in _FOR_SCENARIOS)]
            return start_with_version(command, project, visible, scratch, variables, **streams)

        yield start


def service_answers(project: Project, version: Path, evaluation: Evaluation) -> ServiceAnswers:
    """Start the service with a version in a folder that `fetch` made, and send it single rows."""
    count = len(evaluation.labels)
    # The seed is fixed: each validation of a version sends the same rows.
    order = np.random.default_rng(2013).permutation(count).tolist()
    rows, others = sorted(order[:_REQUESTS]), order[_REQUESTS:][:_MORE_ROWS]
    table = nw.from_native(evaluation.rows, eager_only=True)
    bodies, more = (to_rows(table[part].to_native()) for part in (rows, others))
    predictions, milliseconds, together = [], [], []
    try:
        with running_isolated(project, version) as connection:
            # The first request is sent twice: it fills caches, so its time is not typical.
            for row in [bodies[0], *bodies]:
                started = time.perf_counter()
                predictions += _predict(connection, [row], evaluation.prediction_column)
                milliseconds.append(1000 * (time.perf_counter() - started))
            end = time.monotonic() + _MORE_SECONDS
            size = int(min(_TOGETHER, project.service.largest_request_rows))
            for first in range(0, len(more), size):
                part = more[first : first + size]
                together += _predict(connection, part, evaluation.prediction_column)
                if time.monotonic() > end:
                    break
    except (HandoffError, OSError, HTTPException) as error:
        return ServiceAnswers(str(error))
    sent = others[: len(together)]
    return ServiceAnswers("", rows, predictions[1:], milliseconds[1:], sent, together)


def _predict(connection: HTTPConnection, rows: Sequence[Any], column: str) -> list[Any]:
    body = json.dumps({"rows": rows}, default=datetime.isoformat).encode()
    connection.timeout = _ANSWER_SECONDS
    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != HTTPStatus.OK:
        raise HandoffError(f"HTTP Error {answer.status}: {answer.reason}")
    with suppress(ValueError, LookupError, TypeError):
        predictions = [one[column] for one in json.loads(content)["predictions"]]
        if len(predictions) == len(rows):
            return predictions
    raise HandoffError(f"its answer has no {column} for each row")
