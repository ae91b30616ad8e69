"""The model registry: MLflow, embedded unless `MLFLOW_TRACKING_URI` names a server."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from baton_handoff.errors import HandoffError
from baton_handoff.model.loaded import (
    MODEL_FILE,
    Brought,
    Loaded,
    import_model_code,
    open_version,
    put,
)
from baton_handoff.project import Project


def embedded() -> bool:
    """Whether the registry lies in the project's own folder."""
    return "MLFLOW_TRACKING_URI" not in os.environ


def connect(project: Project) -> mlflow.MlflowClient:
    """Point MLflow at the project's registry and its experiment."""
    for talkative in ("alembic", "mlflow"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    if embedded():
        mlflow.set_tracking_uri(f"sqlite:///{(project.root / 'mlflow.db').as_posix()}")
    client = mlflow.MlflowClient()
    if client.get_experiment_by_name(project.model) is None:
        artifacts = (project.root / "mlartifacts").as_uri() if embedded() else None
        client.create_experiment(project.model, artifact_location=artifacts)
    mlflow.set_experiment(project.model)
    return client


def version_at(project: Project, wanted: str) -> ModelVersion:
    """The version that a number names or an alias points to.

    Raises:
        HandoffError: The registry has none.
    """
    client = connect(project)
    try:
        if wanted.isdecimal():
            return client.get_model_version(project.model, wanted)
        return client.get_model_version_by_alias(project.model, wanted)
    except MlflowException as error:
        if wanted.isdecimal():
            raise HandoffError(
                f"The registry has no version {wanted} of {project.model}: `uv run poe models`"
                " lists those it has."
            ) from error
        raise HandoffError(f"The registry has no {wanted} of {project.model}: {_REMEDY}") from error


_REMEDY = "`uv run poe pipeline` and `uv run poe register` make one."


def fetch(project: Project, wanted: str, to: Path | None = None) -> Path:
    """Bring a version onto this machine; once it is complete, it is not brought again.

    Args:
        project: The project.
        wanted: An alias or a number.
        to: The folder for all versions; by default the project's own.

    Returns:
        The version's folder.

    Raises:
        HandoffError: The registry has no such version.
    """
    version = version_at(project, wanted)
    about = Brought(
        model=project.model,
        version=int(version.version),
        commit=version.tags.get("handoff.commit", ""),
        code=version.tags.get("handoff.code", ""),
        sha256=version.tags.get("handoff.model", ""),
    )
    # A registry made anew counts from one again; its files are others.
    folder = (to or project.local / "models") / f"{about.version}-{about.sha256[:12]}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unfinished-") as unfinished:
        brought = mlflow.artifacts.download_artifacts(
            f"models:/{project.model}/{about.version}/data/{MODEL_FILE}", dst_path=unfinished
        )
        kept = Path(unfinished) / "kept"
        kept.mkdir()
        shutil.move(brought, kept / MODEL_FILE)
        put(kept, about)
        kept.rename(folder)
    return folder


def load(project: Project, wanted: str | None = None) -> Loaded:
    """Load a version into this process.

    Args:
        project: The project.
        wanted: An alias or a number; by default the alias that the project serves.

    Raises:
        HandoffError: There is none, or it was made by other code than this project's.
    """
    folder = fetch(project, wanted or project.alias)
    return open_version(folder, import_model_code(project))
