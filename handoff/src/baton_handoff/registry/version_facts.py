"""Facts about a model version that checks need: its tags and its metrics.

Importing MLflow takes seconds, and checks run in hooks. So the answers of the project's own
registry are cached under `.handoff/`, valid for exactly one state of its database.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.core.files import write_atomically

CANDIDATE, CHAMPION = "candidate", "champion"

ROLLED_BACK = "handoff.rolled_back"
"""The tag of a version from which `champion` was rolled back, with the reason."""

_SETTLED = 2_000_000_000
"""Nanoseconds; no file system in use has coarser time stamps than two seconds."""


@dataclass(frozen=True)
class VersionFacts:
    """A version of the model.

    Attributes:
        version: Its number.
        tags: Its tags in the registry: commit, code, contracts.
        metrics: The metrics of its evaluation, by name.
    """

    version: int
    tags: Mapping[str, str]
    metrics: Mapping[str, float]


def find_version(project: Project, wanted: str) -> VersionFacts | None:
    """Find a version by its number or an alias.

    Args:
        project: The project with the registry.
        wanted: A number, or an alias such as `candidate`.

    Returns:
        The version; None if the registry has no such version.

    Raises:
        HandoffError: The registry does not answer.
    """
    if not project.has_local_registry:
        return _ask_registry(project, wanted)
    state = _database_state(project)
    if not state:
        return None
    file = project.local / "versions.json"
    key = {"model": project.model, "state": state}
    versions = _cached(file, key)
    if wanted not in versions:
        asked_at = time.time_ns()
        versions[wanted] = _ask_registry(project, wanted)
        # A write in the same tick of the clock as the one before it would leave no trace. So an
        # answer is kept only if the last write lay well behind, and none came in between.
        settled = asked_at - max(written for _, written in state) > _SETTLED
        if settled and _database_state(project) == state:
            stored = {name: facts and asdict(facts) for name, facts in versions.items()}
            with suppress(OSError):  # a checkout that is read only
                file.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(file, json.dumps({**key, "versions": stored}, indent=2) + "\n")
    return versions[wanted]


def _cached(file: Path, key: Mapping[str, Any]) -> dict[str, VersionFacts | None]:
    """The answers that are stored under a key; none if the file is missing or corrupt."""
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if {name: stored.pop(name) for name in key} != key:
            return {}
        return {name: facts and VersionFacts(**facts) for name, facts in stored["versions"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _database_state(project: Project) -> list[list[int]]:
    """Size and time of the last write of the database and its log; empty without a database."""
    database = project.root / "mlflow.db"
    state = []
    for file in (database, database.with_name("mlflow.db-wal")):
        # Its content would tell more, but to close the file drops SQLite's locks of this process.
        with suppress(FileNotFoundError):
            status = file.stat()
            state.append([status.st_size, status.st_mtime_ns])
    return state


def _ask_registry(project: Project, wanted: str) -> VersionFacts | None:
    from baton_handoff.registry.model_registry import (  # noqa: PLC0415
        VersionNotFoundError,
        get_version,
        registry_client,
        registry_errors,
    )

    with registry_errors():
        try:
            version = get_version(project, wanted)
        except VersionNotFoundError:
            return None
        run = version.run_id and registry_client(project).get_run(version.run_id)
        return VersionFacts(int(version.version), version.tags, run.data.metrics if run else {})
