"""Versions of the model, as the registry keeps them; an embedded one is read at once.

MLflow takes seconds to import. Its embedded registry is a sqlite file, and what is wanted of it are
the tags and figures of two versions.
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
_FIGURES = (
    "SELECT key, value FROM latest_metrics WHERE run_uuid ="
    " (SELECT run_id FROM model_versions WHERE name = ? AND version = ?)"
)


@dataclass(frozen=True)
class Offered:
    """A version of the model.

    Attributes:
        version: Its number.
        tags: What was written beside it: commit, code, contracts.
        figures: The figures of its evaluation, by their name.
    """

    version: int
    tags: Mapping[str, str]
    figures: Mapping[str, float]


def offered(project: Project, wanted: str) -> Offered | None:
    """The version of a number, or that an alias points to; None where there is none.

    Raises:
        HandoffError: A server does not answer.
    """
    return (
        _from_file(project, wanted) if project.has_local_registry else _from_server(project, wanted)
    )


def _from_file(project: Project, wanted: str) -> Offered | None:
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
            tags, figures = (dict(database.execute(asked, about)) for asked in (_TAGS, _FIGURES))
            return Offered(int(row[0]), tags, figures)
    except sqlite3.Error:
        # A version of MLflow that keeps it otherwise: MLflow itself knows.
        return _from_server(project, wanted)


def _from_server(project: Project, wanted: str) -> Offered | None:
    from baton_handoff.registry.model_registry import answering, registry, version_at  # noqa: PLC0415

    with answering():
        client = registry(project)
        try:
            version = version_at(project, wanted)
        except HandoffError:
            return None
        figures = client.get_run(version.run_id).data.metrics if version.run_id else {}
        return Offered(int(version.version), version.tags, figures)
