"""Moves of a registry alias: recorded in the registry before the alias moves.

The registry has no compare-and-set, and a process may end between two writes. So the record comes
first and the alias last. Until the alias has moved, all services use the former version, and a
record without its move can be detected.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import mlflow
from filelock import FileLock, Timeout
from mlflow.exceptions import MlflowException

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git_or_none
from baton_handoff.registry.model_registry import (
    NOT_FOUND,
    get_version,
    registry_client,
    registry_errors,
)
from baton_handoff.registry.version_facts import CHAMPION, ROLLED_BACK

_KEY = "handoff.move."
_CI = {
    "github": ("GITHUB_ACTIONS", "GITHUB_ACTOR"),
    "gitlab": ("GITLAB_CI", "GITLAB_USER_LOGIN"),
    "azure": ("TF_BUILD", "BUILD_REQUESTEDFOR"),
}
"""The variable that each provider sets in its jobs, and the one that names the person."""


@dataclass(frozen=True)
class AliasMove:
    """One move of an alias. The attributes are the keys of the stored record.

    Attributes:
        alias: The alias.
        to: The version that it points to after the move.
        before: The version that it pointed to, None for the first one.
        how: The kind of the move.
        why: The reason that was given.
        red: The failed gates, if the project accepts them.
        who: The person or the CI job that moved it.
        at: The time, in UTC.
    """

    alias: str
    to: int
    before: int | None
    how: Literal["promotion", "rollback"]
    why: str
    red: tuple[str, ...] = ()
    who: str = ""
    at: str = ""


def in_ci(provider: str | None = None) -> bool:
    """Whether this process is a job of a CI provider, with the provider's protection.

    Args:
        provider: The provider, `github` for example; None for any.
    """
    return any(
        os.environ.get(job, "").casefold() == "true"
        for name, (job, _) in _CI.items()
        if provider in (None, name)
    )


def move_alias(client: mlflow.MlflowClient, project: Project, move: AliasMove) -> AliasMove:
    """Record a move of an alias, and then move it.

    Returns:
        The move with person and time.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    move = replace(move, who=_actor(project), at=now)
    record = json.dumps(asdict(move))
    client.set_registered_model_tag(project.model, f"{_KEY}{now}", record)
    client.set_registered_model_alias(project.model, move.alias, str(move.to))
    return move


def _actor(project: Project) -> str:
    for provider, (_, person) in _CI.items():
        if in_ci(provider):
            return os.environ.get(person) or "CI"
    email = git_or_none(project.root, "config", "user.email")
    return email or os.environ.get("USER") or "unknown"


def recorded_moves(client: mlflow.MlflowClient, project: Project, alias: str) -> list[AliasMove]:
    """All recorded moves of an alias, the oldest first."""
    tags = client.get_registered_model(project.model).tags
    moves = [json.loads(text) for key, text in sorted(tags.items()) if key.startswith(_KEY)]
    return [AliasMove(**{**m, "red": tuple(m["red"])}) for m in moves if m["alias"] == alias]


def aliased_version(client: mlflow.MlflowClient, project: Project, alias: str) -> int | None:
    """The version that an alias points to, None if there is no such alias."""
    try:
        return int(client.get_model_version_by_alias(project.model, alias).version)
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
        return None


def previous_version(history: Sequence[AliasMove], current: int) -> int | None:
    """The version before `current` in the line of promotions, None if there is none.

    Args:
        history: The moves of the alias.
        current: The version that it points to.
    """
    line: list[int] = []
    for move in history:
        # A version that is gone when the next move starts never arrived, or was moved by hand.
        while line and line[-1] != move.before:
            line.pop()
        if move.how == "promotion":
            line = [*(line or filter(None, [move.before])), move.to]
        elif move.to in line:
            line = line[: len(line) - line[::-1].index(move.to)]
    places = [place for place, version in enumerate(line) if version == current]
    # A promotion that only corrects the record repeats its version.
    others = [version for version in line[: places[-1]] if version != current] if places else []
    return others[-1] if others else None


def alias_mismatch(client: mlflow.MlflowClient, project: Project, alias: str) -> str:
    """Describe a difference between an alias and its record; empty if there is none."""
    moves = recorded_moves(client, project, alias)
    version = aliased_version(client, project, alias)
    if not moves or moves[-1].to == version:
        return ""
    last = moves[-1]
    return (
        f"The registry records that {last.who} moved {alias} to version {last.to} on"
        f" {last.at[:16]}, but it points to {version or 'none'}: the move was interrupted, or the"
        " alias was moved by hand. Promote the right version again."
    )


@registry_errors()
def roll_back(project: Project, why: str) -> tuple[AliasMove, str | None]:
    """Move `champion` back to the version that was champion before.

    Returns:
        The move, and the commit to deploy: None if both versions need the same code, so that
        running services load the former one; empty if its code was never committed.

    Raises:
        HandoffError: There is no former champion, or the registry has it no more.
    """
    client = registry_client(project)
    with promotion_lock(project):
        current = aliased_version(client, project, CHAMPION)
        moves = recorded_moves(client, project, CHAMPION) if current else []
        former = previous_version(moves, current) if current else None
        if current is None or former is None:
            raise HandoffError(
                f"There is no former champion of {project.model} to go back to:"
                " `uv run handoff model list` lists the versions."
            )
        tags, former_tags = (
            get_version(project, str(version)).tags for version in (current, former)
        )
        client.set_model_version_tag(project.model, str(current), ROLLED_BACK, why)
        move = AliasMove(CHAMPION, former, current, "rollback", why)
        move = move_alias(client, project, move)
    if tags.get("handoff.code") == former_tags.get("handoff.code"):
        return move, None
    clean = former_tags.get("handoff.clean") == "true"
    return move, former_tags["handoff.commit"] if clean else ""


@contextmanager
def promotion_lock(project: Project) -> Iterator[None]:
    """Allow one promotion at a time in the project's own registry.

    For a server, the pipeline queues its jobs. The system releases the lock when the process ends.

    Raises:
        HandoffError: Another promotion is running.
    """
    if not project.has_local_registry:
        yield
        return
    lock = FileLock(project.root / "mlflow.db.promotion", timeout=0)
    try:
        with lock:
            yield
    except Timeout as error:
        raise HandoffError(
            "Another promotion or rollback is running in this project: wait until it has ended."
        ) from error
