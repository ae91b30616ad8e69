"""The model registry: MLflow, embedded unless `MLFLOW_TRACKING_URI` names a server."""

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import (
    MODEL_FILE,
    FetchedVersion,
    Loaded,
    import_model_code,
    open_version,
    write_fetched,
)

_DATABASES = ("postgresql", "mysql", "mssql")
_NO_LOGIN = ("UNAUTHENTICATED", "PERMISSION_DENIED")
NOT_FOUND = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow calls a version, an alias or a model that it does not have."""


def registry_client(project: Project) -> mlflow.MlflowClient:
    """The project's registry; importing no more than versions and aliases need."""
    for talkative in ("alembic", "mlflow"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it raises all it says
    if project.has_local_registry:
        mlflow.set_tracking_uri(project.local_registry)
    try:
        return mlflow.MlflowClient()
    except ModuleNotFoundError as error:
        raise HandoffError(
            f"The registry at {_place()} needs {error.name}, which is not installed: install it, or"
            " go through a tracking server (standards/tracking-server)."
        ) from error


def connect(project: Project) -> mlflow.MlflowClient:
    """The project's registry, with its experiment for runs to belong to."""
    client = registry_client(project)
    if client.get_experiment_by_name(project.model) is None:
        client.create_experiment(project.model, artifact_location=_artifacts(project))
    mlflow.set_experiment(project.model)
    return client


@contextmanager
def registry_errors() -> Iterator[None]:
    """Say in one sentence that the registry does not answer, or refuses the login."""
    try:
        yield
    except (MlflowException, OperationalError) as error:
        if from_file := re.search(r"\(sqlite3\.OperationalError\) (.*)", str(error)):
            raise HandoffError(
                f"The registry at {_place()} can't be used ({from_file[1]}): make room on its disk,"
                " or let whoever else uses it end, then run this again."
            ) from error
        code = getattr(error, "error_code", "TEMPORARILY_UNAVAILABLE")
        if code in _NO_LOGIN:
            raise HandoffError(
                f"The registry at {_place()} refuses this login: MLFLOW_TRACKING_USERNAME and"
                " MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, have to hold one that may do"
                " this."
            ) from error
        if code != "TEMPORARILY_UNAVAILABLE" and not str(error).startswith("API request to "):
            raise
        raise HandoffError(
            f"The registry at {_place()} does not answer: see whether the server and its database"
            " run, then run this again."
        ) from error


def _place() -> str:
    """Where the registry is, without the login that may stand in its address."""
    uri = urlsplit(mlflow.get_tracking_uri())
    if "@" not in uri.netloc:
        return mlflow.get_tracking_uri()
    return uri._replace(netloc=uri.netloc.rpartition("@")[2]).geturl()


def _artifacts(project: Project) -> str | None:
    """Where the files of a new experiment belong; a server knows that by itself."""
    if project.has_local_registry:
        return (project.root / "mlartifacts").as_uri()
    uri = os.environ["MLFLOW_TRACKING_URI"]
    place = os.environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT")
    if place is None and urlsplit(uri).scheme.partition("+")[0] in _DATABASES:
        raise HandoffError(
            f"The registry at {_place()} is a database, and the model itself would stay on this"
            " machine: MLFLOW_DEFAULT_ARTIFACT_ROOT has to name a place that everybody reaches, as"
            " s3://bucket/folder."
        )
    return place


def get_version(project: Project, wanted: str) -> ModelVersion:
    """The version that a number names or an alias points to.

    Raises:
        HandoffError: The registry has none.
    """
    client = registry_client(project)
    try:
        if wanted.isdecimal():
            return client.get_model_version(project.model, wanted)
        return client.get_model_version_by_alias(project.model, wanted)
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
        if wanted.isdecimal():
            raise HandoffError(
                f"The registry has no version {wanted} of {project.model}:"
                " `uv run handoff model list` lists those it has."
            ) from error
        raise HandoffError(f"The registry has no {wanted} of {project.model}: {_REMEDY}") from error


_REMEDY = "`uv run poe pipeline` and `uv run poe register` make one."


@registry_errors()
def fetch(project: Project, wanted: str, to: Path | None = None) -> Path:
    """Bring a version onto this machine; once it is complete, it is not brought again.

    Args:
        project: The project.
        wanted: An alias or a number.
        to: The folder for all versions; by default the project's own.

    Returns:
        The version's folder.

    Raises:
        HandoffError: The registry has no such version, or does not answer.
    """
    version = get_version(project, wanted)
    about = FetchedVersion(
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
        write_fetched(kept, about)
        kept.rename(folder)
    return folder


def download_artifact(version: ModelVersion, path: str, to: Path) -> Path | None:
    """Bring a file or a folder of a version's run here; None where the run has no such thing."""
    if not has_artifact(version, path):
        return None
    uri = f"runs:/{version.run_id}/{path}"
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(to)))


def has_artifact(version: ModelVersion, path: str) -> bool:
    """Whether a version's run has a file or a folder."""
    folder = str(Path(path).parent) if "/" in path else None
    listed = mlflow.MlflowClient().list_artifacts(str(version.run_id), folder)
    return any(found.path == path for found in listed)


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
