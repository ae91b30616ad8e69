"""Train, register and promote candidates as users do. Runs in a project's environment.

    python offer.py CANDIDATES CHAMPIONS TO

CANDIDATES is candidates.toml, CHAMPIONS a project with a champion, TO a JSON file: for each
candidate by name the findings of all gates and the move of the champion. Each is made in a copy of
that project, as in a user's clone; all of them use the same registry.
"""

import gc
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeAlias

LIBRARIES = (
    "baton_handoff.policy.promotion.promote",
    "fairlearn.metrics",
    "mlflow.pyfunc",
    "mlflow.store.model_registry.sqlalchemy_store",
    "scipy.stats",
    "sklearn.ensemble",
)
"""Slow imports: each candidate runs in a fork, which inherits the imported modules."""

EVERY = 3
"""Every third row of the pipeline's evaluation is enough and faster."""

PREDICTING = ("src/flight_delays/features/", "src/flight_delays/model/")
TABLES_ONLY = [
    "src/flight_delays/model/delay_model.py",
    "def predict_columns(",
    "def unused_columns(",
]
"""Edits of what a table predicts; the service has to make a table, too."""

Candidate: TypeAlias = dict[str, Any]


def main(candidates: Path, champions: Path, to: Path, names: list[str]) -> None:
    """Run the bad candidates of these names, two in parallel, and then the good ones."""
    read: list[Candidate] = tomllib.loads(candidates.read_text(encoding="utf-8"))["candidate"]
    listed = [candidate for candidate in read if candidate["name"] in names]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*LIBRARIES])
    results: dict[str, Any] = {}
    for round_ in (
        [c for c in listed if c["blocked_by"]],
        [c for c in listed if not c["blocked_by"]],
    ):
        with ProcessPoolExecutor(2, context, max_tasks_per_child=1) as pool:
            running = {c["name"]: pool.submit(promotion_result, c, champions) for c in round_}
        for name, ended in running.items():
            error = ended.exception()
            results[name] = {"error": str(error.__cause__ or error)} if error else ended.result()
    to.write_text(json.dumps(results, indent=2), encoding="utf-8")


def promotion_result(candidate: Candidate, champions: Path) -> dict[str, Any]:
    """Make a candidate, register it and promote it."""
    from baton_handoff.config.project import find_project
    from baton_handoff.policy.promotion.promote import promote
    from baton_handoff.registry.alias_moves import aliased_version
    from baton_handoff.registry.model_registry import connect
    from baton_handoff.registry.version_facts import CHAMPION

    gc.freeze()  # forks need not collect garbage among imported objects
    clone(champions, champions.with_name(candidate["name"].replace(" ", "-")))
    edits = candidate.get("edits", [])
    if any(name.startswith(PREDICTING) for name, *_ in edits):
        edits = [*edits, TABLES_ONLY]
    change(edits, commit=candidate.get("committed", True))
    evaluate(again=candidate.get("evaluated", False))
    version = register(champions, lost=candidate.get("lost"))
    change(candidate.get("afterwards", []), commit=True)
    project = find_project()
    outcome = promote(project, version, CHAMPION, "it was offered", lambda _: None)
    return {
        "findings": [asdict(finding) for finding in outcome.findings],
        "moved": asdict(outcome.moved) if outcome.moved else None,
        "version": int(version),
        "champion": aliased_version(connect(project), project, CHAMPION),
    }


def clone(champions: Path, to: Path) -> None:
    """Change to a copy of the project that uses the same registry."""
    registry = shutil.ignore_patterns("mlflow.db*", "mlartifacts", ".handoff")
    shutil.copytree(champions, to, symlinks=True, ignore=registry)
    os.chdir(to)
    own = str(to / "src")
    sys.path[:0] = [own]
    os.environ |= {
        "PYTHONPATH": own,
        "MLFLOW_TRACKING_URI": f"sqlite:///{champions / 'mlflow.db'}",
        "HANDOFF_LOCAL": str(champions / ".handoff"),
    }


def change(edits: list[list[str]], *, commit: bool) -> None:
    """Edit files as a user does."""
    for name, old, new in edits:
        text = Path(name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        Path(name).write_text(text.replace(old, new), encoding="utf-8")
    if edits and commit:
        git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com"]
        what = ["--all", "--allow-empty", "--quiet", "--no-verify", "--message", "work"]
        subprocess.run([*git, "commit", *what], check=True)


def evaluate(*, again: bool) -> None:
    """Write the pipeline's evaluation; with `again`, evaluate with the current code."""
    import joblib
    from baton_handoff.evaluation.held_out import read_evaluation
    from flight_delays.features import build_features
    from flight_delays.training.files import BASELINE, EVALUATION, MODEL

    whole = read_evaluation(EVALUATION, "pandas")
    rows = whole.rows.iloc[::EVERY].reset_index(drop=True)
    predicted = {name: values[::EVERY] for name, values in whole.predicted.items()}
    if again:
        model, baseline = joblib.load(MODEL), joblib.load(BASELINE)
        features = build_features(rows, model.planes, model.airports)
        predicted["model"] = model.predict(rows)["late_probability"].to_numpy()
        predicted["logistic_regression"] = baseline.predict_proba(features)[:, 1]
    replace(whole, rows=rows, labels=whole.labels[::EVERY], predicted=predicted).write(EVALUATION)


def register(champions: Path, lost: str | None) -> str:
    """Register with the project's own step; delete the artifact `lost` from its run.

    Returns:
        The version's number.
    """
    import mlflow
    from baton_handoff.config.project import find_project
    from filelock import FileLock
    from flight_delays.training.register import main as registered
    from mlflow.utils.file_utils import local_file_uri_to_path

    project = find_project()
    with FileLock(champions.with_name("registering.lock")):  # SQLite allows one writer at a time
        version = str(registered(project).version)
    if lost:
        client = mlflow.MlflowClient()
        run = client.get_run(client.get_model_version(project.model, version).run_id)
        shutil.rmtree(Path(local_file_uri_to_path(run.info.artifact_uri)) / lost)
    return version


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), sys.argv[4:])
