"""Versions of the model, as the registry keeps them; an embedded one is read at once.

MLflow takes seconds to import. Its embedded registry is a sqlite file, and what is wanted of it are
the tags and metrics of two versions.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError

CANDIDATE, CHAMPION = "candidate", "champion"

_ALIAS = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
_NUMBER = "SELECT version FROM model_versions WHERE name = ? AND version = ?"
_TAGS = "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?"
_METRICS = (
    "SELECT key, value FROM latest_metrics WHERE run_uuid ="
    " (SELECT run_id FROM model_versions WHERE name = ? AND version = ?)"
)


@dataclass(frozen=True)
class VersionFacts:
    """A version of the model.

    Attributes:
        version: Its number.
        tags: What was written beside it: commit, code, contracts.
        metrics: The metrics of its evaluation, by their name.
    """

    version: int
    tags: Mapping[str, str]
    metrics: Mapping[str, float]


def find_version(project: Project, wanted: str) -> VersionFacts | None:
    """The version of a number, or that an alias points to; None where there is none.

    Raises:
        HandoffError: A server does not answer.
    """
    return (
        _from_file(project, wanted) if project.has_local_registry else _from_server(project, wanted)
    )


def _from_file(project: Project, wanted: str) -> VersionFacts | None:
    file = project.root / "mlflow.db"
    if not file.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            named = (_NUMBER, int(wanted)) if wanted.isdecimal() else (_ALIAS, wanted)
            row = database.execute(named[0], (project.model, named[1])).fetchone()
            if row is None:
                return None
            about = (project.model, row[0])
            tags, metrics = (dict(database.execute(asked, about)) for asked in (_TAGS, _METRICS))
            return VersionFacts(int(row[0]), tags, metrics)
    except sqlite3.Error:
        # A version of MLflow that keeps it otherwise: MLflow itself knows.
        return _from_server(project, wanted)


def _from_server(project: Project, wanted: str) -> VersionFacts | None:
    from baton_handoff.registry.model_registry import get_version, registry_client, registry_errors  # noqa: PLC0415

    with registry_errors():
        client = registry_client(project)
        try:
            version = get_version(project, wanted)
        except HandoffError:
            return None
        metrics = client.get_run(version.run_id).data.metrics if version.run_id else {}
        return VersionFacts(int(version.version), version.tags, metrics)
