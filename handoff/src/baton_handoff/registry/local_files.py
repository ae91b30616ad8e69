"""The local registry's files: MLflow stores absolute paths, which a moved project no longer has."""

import sqlite3
from contextlib import closing, suppress
from itertools import product
from pathlib import Path

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError

_PATHS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
"""The columns with addresses of files, by table."""

_UNUSABLE = "%?"
"""Characters that MLflow's database layer can't take in a path."""


def artifact_folder(project: Project) -> str:
    """The address of the folder for the files of the local registry."""
    return (project.root / "mlartifacts").as_uri()


def require_usable_path(project: Project) -> None:
    """Check that MLflow can work in the project's folder.

    Raises:
        HandoffError: Its path has a character that MLflow can't take.
    """
    if found := next((one for one in _UNUSABLE if one in str(project.root)), None):
        raise HandoffError(
            f"{project.root} contains `{found}`, which MLflow can't use in a path: rename the"
            " folder, then run `uv run handoff setup` in it."
        )


def follow_project(project: Project) -> None:
    """Let the local registry use the project's own files after the project was moved or copied.

    Otherwise it would read and write at the former place, which may be another project now.

    Raises:
        HandoffError: The database can't be written.
    """
    file = project.root / "mlflow.db"
    here = artifact_folder(project)
    if not (former := _former_places(file) - {here}):
        return
    try:
        with closing(sqlite3.connect(file, timeout=60)) as database, database:
            for place, (table, column) in product(former, _PATHS.items()):
                database.execute(
                    f"update {table} set {column} = ? || substr({column}, ?)"  # noqa: S608
                    f" where {column} = ? or substr({column}, 1, ?) = ?",
                    (here, len(place) + 1, place, len(place) + 1, f"{place}/"),
                )
    except sqlite3.OperationalError as error:
        raise HandoffError(
            f"{file} names the files of {min(former)}, where the project was before, and can't be"
            f" corrected ({error}): let this user write the file and its folder."
        ) from error


def _former_places(file: Path) -> set[str]:
    """The folders of local files that a database names; none if it can't be read yet."""
    if not file.exists():
        return set()
    with (
        suppress(sqlite3.DatabaseError),  # MLflow reports a damaged one, and migrates an older one
        closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database,
    ):
        rows = database.execute("select distinct artifact_location from experiments").fetchall()
        database.execute(" union ".join(f"select {c} from {t}" for t, c in _PATHS.items()))  # noqa: S608
        return {place for (place,) in rows if _was_local(place)}
    return set()


def _was_local(place: str | None) -> bool:
    return place is not None and place.startswith("file:") and place.endswith("/mlartifacts")
