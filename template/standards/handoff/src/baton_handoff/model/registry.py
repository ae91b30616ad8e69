"""The model registry: MLflow, embedded unless `MLFLOW_TRACKING_URI` names a server."""

import logging
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Before MLflow is imported: it would report its use to its makers.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import joblib
import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema

import baton_handoff
from baton_handoff.contracts import Contract, canonical_form
from baton_handoff.errors import HandoffError
from baton_handoff.model import wrapper
from baton_handoff.model.code import ROOMS, code_files, code_hash
from baton_handoff.model.lineage import Lineage, lineage_of
from baton_handoff.model.loaded import Loaded
from baton_handoff.model.wrapper import ContractedModel
from baton_handoff.project import Project

_MLFLOW_TYPES = {
    "integer": "long",
    "number": "double",
    "boolean": "boolean",
    "timestamp": "datetime",
    "timestamp[UTC]": "datetime",
}


@dataclass(frozen=True)
class Registered:
    """A model version in the registry.

    Attributes:
        model: The registered model's name.
        version: The version's number.
        alias: The alias that now points to it.
        lineage: What it came from.
    """

    model: str
    version: int
    alias: str
    lineage: Lineage


def connect(project: Project) -> mlflow.MlflowClient:
    """Point MLflow at the project's registry and its experiment."""
    for talkative in ("alembic", "mlflow"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    embedded = "MLFLOW_TRACKING_URI" not in os.environ
    if embedded:
        mlflow.set_tracking_uri(f"sqlite:///{(project.root / 'mlflow.db').as_posix()}")
    client = mlflow.MlflowClient()
    if client.get_experiment_by_name(project.model) is None:
        artifacts = (project.root / "mlartifacts").as_uri() if embedded else None
        client.create_experiment(project.model, artifact_location=artifacts)
    mlflow.set_experiment(project.model)
    return client


def register(
    project: Project, model: ContractedModel, metrics: Mapping[str, float], reports: Path
) -> Registered:
    """Log a model with its lineage, register it, and make it the candidate.

    The alias moves last: a failure on the way leaves the former candidate in place.

    Args:
        project: The project whose pipeline has just run.
        model: The trained model between its contracts.
        metrics: What the evaluation measured.
        reports: The folder with the evaluation's plots and tables.

    Raises:
        HandoffError: The pipeline has not run to its end.
    """
    lineage = lineage_of(project)
    client = connect(project)
    with mlflow.start_run(), warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        # MLflow asks for an input example to check its signature with; the contracts do that.
        warnings.simplefilter("ignore", UserWarning)
        file = Path(folder) / "model.joblib"
        joblib.dump(model, file)
        mlflow.log_params(_flat(lineage.parameters))
        mlflow.log_metrics(dict(metrics))
        mlflow.log_artifacts(str(reports), "reports")
        mlflow.log_dict(lineage.as_dict(), "lineage.json")
        tags = {
            "handoff.commit": lineage.commit or "none",
            "handoff.clean": str(lineage.clean).lower(),
            "handoff.code": lineage.code,
            "handoff.lock": lineage.lock,
        }
        mlflow.set_tags(tags)
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module=wrapper.__name__,
            data_path=str(file),
            code_paths=_model_code(project, Path(folder)),
            signature=_signature(model.takes, model.gives),
            pip_requirements=_requirements(project),
            metadata={
                "takes": canonical_form(model.takes),
                "gives": canonical_form(model.gives),
            },
        )
        if client.search_registered_models(f"name = '{project.model}'") == []:
            client.create_registered_model(project.model)
        version = client.create_model_version(
            project.model,
            logged.model_uri,
            run_id=logged.run_id,
            tags=tags,
            model_id=logged.model_id,
        )
    client.set_registered_model_alias(project.model, "candidate", version.version)
    return Registered(project.model, int(version.version), "candidate", lineage)


def load(project: Project) -> Loaded:
    """Load the version that the project's alias points to.

    Raises:
        HandoffError: There is none, or it was made by other code than this project's.
    """
    client = connect(project)
    try:
        version = client.get_model_version_by_alias(project.model, project.alias)
    except MlflowException as error:
        raise HandoffError(
            f"The registry has no {project.alias} of {project.model}: `uv run poe pipeline` and"
            " `uv run poe register` make one."
        ) from error
    # A model brings its code along, but Python runs what it has imported first. That is this
    # project's, whole; the hash makes sure that it is the same.
    for room in ROOMS:
        project.room(room)
    if version.tags.get("handoff.code") != code_hash(project.source):
        commit = version.tags.get("handoff.commit", "none")
        made = "uncommitted code" if commit == "none" else f"the code of commit {commit[:12]}"
        remedy = "" if commit == "none" else f"deploy commit {commit[:12]}, or "
        raise HandoffError(
            f"Version {version.version} of {project.model} was made by {made}, not by the code"
            f" that stands here: {remedy}register a version made by this code."
        )
    pyfunc = mlflow.pyfunc.load_model(f"models:/{project.model}/{version.version}")
    return Loaded(project.model, int(version.version), pyfunc.predict)


def _signature(takes: Contract, gives: Contract) -> ModelSignature:
    signature = ModelSignature(inputs=_schema(takes), outputs=_schema(gives))
    # MLflow's own check would drop extra columns and let ranges pass. This flag, which MLflow
    # stores with the model, leaves the checking to the model.
    signature._is_signature_from_type_hint = True
    return signature


def _schema(contract: Contract) -> Schema:
    columns = canonical_form(contract)["columns"]
    return Schema(
        [
            ColSpec(_MLFLOW_TYPES.get(column["type"], "string"), name, required=column["required"])
            for name, column in columns.items()
        ]
    )


def _model_code(project: Project, folder: Path) -> list[str]:
    """A copy of the code that the model needs, and nothing else, for MLflow to carry along."""
    package = folder / project.package
    for file in code_files(project.source):
        (package / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.source / file, package / file)
    machinery = folder / baton_handoff.__name__
    shutil.copytree(
        Path(baton_handoff.__file__).parent,
        machinery,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return [str(package), str(machinery)]


def _requirements(project: Project) -> list[str]:
    """The run-time packages of the lock, exact."""
    done = subprocess.run(
        [
            *(os.environ.get("UV", "uv"), "export", "--frozen", "--quiet", "--no-dev"),
            *("--no-hashes", "--no-header", "--no-annotate", "--no-emit-local"),
        ],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise HandoffError(f"uv can't export the lock: {done.stderr.strip()}")
    return done.stdout.splitlines()


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
