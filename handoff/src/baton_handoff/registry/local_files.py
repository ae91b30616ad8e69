"""The local registry's files: MLflow stores absolute paths, which a moved project no longer has."""

import sqlite3
from contextlib import closing

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
    """
    file = project.root / "mlflow.db"
    if not file.exists():
        return
    here = artifact_folder(project)
    with closing(sqlite3.connect(file, timeout=60)) as database, database:
        tables = {row[0] for row in database.execute("select name from sqlite_master")}
        if not tables.issuperset(_PATHS):
            return  # of an earlier MLflow: the first use migrates it
        locations = database.execute("select distinct artifact_location from experiments")
        former = {place for (place,) in locations if _was_local(place) and place != here}
        for place in former:
            for table, column in _PATHS.items():
                database.execute(
                    f"update {table} set {column} = ? || substr({column}, ?)"  # noqa: S608
                    f" where {column} = ? or substr({column}, 1, ?) = ?",
                    (here, len(place) + 1, place, len(place) + 1, f"{place}/"),
                )


def _was_local(place: str | None) -> bool:
    return place is not None and place.startswith("file:") and place.endswith("/mlartifacts")
