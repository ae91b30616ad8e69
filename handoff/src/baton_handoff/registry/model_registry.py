"""The model registry: MLflow, embedded unless `MLFLOW_TRACKING_URI` names a server."""

import logging
import os
import sqlite3
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils import rest_utils
from sqlalchemy.exc import DatabaseError

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.files import replace_folder
from baton_handoff.core.suggestions import hint, similar_name
from baton_handoff.registry.loaded import (
    EXAMPLE_FILE,
    FETCHED,
    FetchedVersion,
    Loaded,
    import_model_code,
    open_version,
    require_registered_files,
)
from baton_handoff.registry.local_files import (
    artifact_folder,
    follow_project,
    require_usable_path,
)
from baton_handoff.registry.manifest import MANIFEST_FILE, SIGNATURE_FILE, registered_manifest
from baton_handoff.registry.model_file import file_name, find_model_file, require_trusted

_DATABASES = ("postgresql", "mysql", "mssql")
_MADE_BY = {"candidate": "register", "champion": "promote"}
"""The task that sets each alias."""

_LISTED = 5
"""The number of versions that a message lists, the newest ones."""
_LOGIN_REFUSED = ("UNAUTHENTICATED", "PERMISSION_DENIED")
_SQLITE_REMEDIES = {
    "READONLY": "let this user write the file and its folder",
    "CANTOPEN": "let this user write the file and its folder",
    "PERM": "let this user write the file and its folder",
    "FULL": "make room on its disk",
    "IOERR": "make room on its disk, and see that the disk works",
    "BUSY": "end the other programs that use it",
    "LOCKED": "end the other programs that use it",
}
"""What to do about an error of SQLite, by the first word of its name."""

NOT_FOUND = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""MLflow's codes for a version, an alias or a model that it does not have."""


class VersionNotFoundError(HandoffError):
    """The registry has no version of this number or alias."""


def registry_client(project: Project) -> mlflow.MlflowClient:
    """Open the project's registry; enough for versions and aliases.

    Raises:
        HandoffError: A driver that the registry's address needs is not installed, or MLflow can't
            use the project's path.
    """
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # This logger repeats the message of the exception.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    if project.has_local_registry:
        require_usable_path(project)
        follow_project(project)
        mlflow.set_tracking_uri(project.local_registry)
    try:
        return mlflow.MlflowClient()
    except ModuleNotFoundError as error:
        raise HandoffError(
            f"The registry at {_address()} needs {error.name}, which is not installed: install it,"
            " or use a tracking server (standards/tracking-server)."
        ) from error


def connect(project: Project) -> mlflow.MlflowClient:
    """Open the project's registry with its experiment, which runs need.

    Raises:
        HandoffError: The registry is a database, and no place for files is configured.
    """
    client = registry_client(project)
    if client.get_experiment_by_name(project.model) is None:
        client.create_experiment(project.model, artifact_location=_artifact_location(project))
    mlflow.set_experiment(project.model)
    return client


@contextmanager
def registry_errors() -> Iterator[None]:
    """Translate MLflow's errors about the registry as a whole.

    Raises:
        HandoffError: The registry does not answer, or refuses the login.
    """
    try:
        yield
    except (MlflowException, DatabaseError) as error:
        cause = error if isinstance(error, DatabaseError) else error.__cause__
        driver_error = cause.orig if isinstance(cause, DatabaseError) else None
        code = getattr(error, "error_code", "TEMPORARILY_UNAVAILABLE")
        if isinstance(driver_error, sqlite3.OperationalError):
            kind = (driver_error.sqlite_errorname or "").split("_")[1:2]
            remedy = _SQLITE_REMEDIES.get(
                "".join(kind), "end the other programs that use it, and see that its disk has room"
            )
            problem = f"can't be used ({driver_error}): {remedy}, then run this again."
        elif isinstance(driver_error, sqlite3.DatabaseError):
            problem = (
                f"is damaged ({driver_error}): restore the file from a copy, or move it away and"
                " register the model again."
            )
        elif code in _LOGIN_REFUSED:
            problem = (
                "refuses this login: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or"
                " MLFLOW_TRACKING_TOKEN, to a login with this permission."
            )
        elif code == "TEMPORARILY_UNAVAILABLE" or _is_no_answer(error):
            problem = (
                "does not answer: check that the server and its database run, then run this again."
            )
        else:
            raise
        raise HandoffError(f"The registry at {_address()} {problem}") from error


def _is_no_answer(error: Exception) -> bool:
    """Whether MLflow's HTTP client failed without an answer of an MLflow server.

    An answer would be a RestException. MLflow has neither class nor code for a broken connection or
    the page of another program, so the place that raised the error decides.
    """
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return type(error) is MlflowException and frame.f_globals["__name__"] == rest_utils.__name__


def _address() -> str:
    """The registry's address without the login that it may contain."""
    uri = urlsplit(mlflow.get_tracking_uri())
    if "@" not in uri.netloc:
        return mlflow.get_tracking_uri()
    return uri._replace(netloc=uri.netloc.rpartition("@")[2]).geturl()


def _artifact_location(project: Project) -> str | None:
    """Where the files of a new experiment belong; None if the server decides."""
    if project.has_local_registry:
        return artifact_folder(project)
    scheme = urlsplit(os.environ["MLFLOW_TRACKING_URI"]).scheme.partition("+")[0]
    location = os.environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT")
    if location is None and scheme in _DATABASES:
        raise HandoffError(
            f"The registry at {_address()} is a database, so the model files would stay on this"
            " machine: set MLFLOW_DEFAULT_ARTIFACT_ROOT to a place that every machine reaches, for"
            " example s3://bucket/folder."
        )
    return location


def get_version(project: Project, wanted: str) -> ModelVersion:
    """Get a version by its number or an alias.

    Raises:
        VersionNotFoundError: The registry has no such version.
    """
    client = registry_client(project)
    try:
        if wanted.isdecimal():
            return client.get_model_version(project.model, wanted)
        return client.get_model_version_by_alias(project.model, wanted)
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
        kind = "version" if wanted.isdecimal() else "alias"
        end = _existing(client, project, kind, wanted)
        raise VersionNotFoundError(
            f"The registry has no {kind} `{wanted}` of {project.model}{end}"
        ) from error


def _existing(client: mlflow.MlflowClient, project: Project, kind: str, wanted: str) -> str:
    """The end of a sentence about a version or alias that is missing: what there is instead."""
    try:
        aliases = client.get_registered_model(project.model).aliases
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
        return ": `uv run poe pipeline` and `uv run poe register` make the first version."
    if kind == "alias":
        near = similar_name(wanted, [*aliases, *_MADE_BY])
        if near and near not in aliases:
            made = f"; `uv run poe {_MADE_BY[near]}` makes it."
            return made if near == wanted else f"; did you mean `{near}`?"
        return hint(wanted, aliases, f"it has {', '.join(sorted(aliases))}")
    found = client.search_model_versions(f"name = '{project.model}'")
    numbers = sorted(int(version.version) for version in found)
    listed = ", ".join(map(str, numbers[-_LISTED:]))
    return f": it has {listed}; `uv run handoff model list` lists all."


@registry_errors()
def fetch(project: Project, wanted: str, to: Path | None = None) -> Path:
    """Download a version, unless it is on this machine already.

    Args:
        project: The project.
        wanted: An alias or a number.
        to: The folder for all versions; by default the project's own.

    Returns:
        The version's folder.

    Raises:
        UntrustedModelError: The project's settings do not allow to load its file.
        HandoffError: The registry has no such version, does not answer, or its files are not
            those that were registered.
    """
    if wanted == project.alias and (given := os.environ.get(FETCHED)):
        return Path(given)
    version = get_version(project, wanted)
    fetched = fetched_version(version)
    # A registry that was made anew counts from one again, with other files.
    folder = (to or project.local / "models") / f"{fetched.version}-{fetched.sha256[:12]}"
    signed = project.registry.signers
    # One that was fetched before signatures were required is fetched again.
    if folder.exists() and (not signed or (folder / SIGNATURE_FILE).exists()):
        require_trusted(project, find_model_file(folder))
        if signed:
            registered_manifest(project, version, folder / MANIFEST_FILE)
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    uri = f"models:/{project.model}/{fetched.version}/data/{file_name(version.tags)}"
    with (
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as scratch,
        replace_folder(folder) as unfinished,
    ):
        file = Path(mlflow.artifacts.download_artifacts(uri, dst_path=scratch))
        unfinished.mkdir()
        require_trusted(project, file)
        file.rename(unfinished / file.name)
        for name in (EXAMPLE_FILE, MANIFEST_FILE, SIGNATURE_FILE):
            if stored := download_artifact(version, name, Path(scratch)):
                stored.rename(unfinished / name)
        fetched.write(unfinished)
        manifest = registered_manifest(project, version, unfinished / MANIFEST_FILE)
        if manifest and (changed := manifest.changed_tags(version.tags)):
            raise HandoffError(
                f"The tag {changed[0]} of version {version.version} of {version.name} is not the"
                " registered one: register the model again."
            )
        require_registered_files(unfinished)
    return folder


def fetched_version(version: ModelVersion) -> FetchedVersion:
    """The facts of a version.

    Raises:
        HandoffError: The version was not registered by this engine.
    """
    if not {"handoff.code", "handoff.model"} <= {*version.tags}:
        raise HandoffError(
            f"Version {version.version} of {version.name} was not made by `uv run poe register`,"
            " so it has no contracts and no hashes: register its model with that command."
        )
    return FetchedVersion(
        model=version.name,
        version=int(version.version),
        commit=version.tags.get("handoff.commit", ""),
        code=version.tags["handoff.code"],
        sha256=version.tags["handoff.model"],
    )


def download_artifact(version: ModelVersion, path: str, to: Path) -> Path | None:
    """Download a file or a folder of a version's run; None if there is no such artifact or run."""
    try:
        if not has_artifact(version, path):
            return None
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
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
