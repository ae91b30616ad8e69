"""Who moved an alias, when and why: the registry's own record, written before the alias moves.

The registry has no compare-and-set, and a process may die between two writes. So the record comes
first and the alias last: until the alias has moved, the former version is what everybody serves,
and a record without its alias can be told from one with it.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import mlflow
from filelock import FileLock, Timeout
from mlflow.exceptions import MlflowException

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git_or_none
from baton_handoff.registry.model_registry import NOT_FOUND, registry_client, registry_errors
from baton_handoff.registry.version_facts import CHAMPION

_KEY = "handoff.move."
_CI = {
    "GITHUB_ACTIONS": "GITHUB_ACTOR",
    "GITLAB_CI": "GITLAB_USER_LOGIN",
    "TF_BUILD": "BUILD_REQUESTEDFOR",
}
"""For each provider the variable that says a job runs there, and the one that says whose it is."""


@dataclass(frozen=True)
class AliasMove:
    """One move of an alias.

    Attributes:
        alias: The alias.
        to: The version it was moved to.
        before: The version it pointed to, None for the first one.
        how: By a promotion or by going back.
        who: Who did it.
        at: When, in UTC.
        why: The reason given.
        red: The gates that were red, and accepted.
    """

    alias: str
    to: int
    before: int | None
    how: Literal["promotion", "rollback"]
    who: str
    at: str
    why: str
    red: tuple[str, ...] = ()


def in_ci() -> bool:
    """Whether this is a job of a CI provider, behind whatever it protects such jobs with."""
    return any(os.environ.get(name) for name in _CI)


def current_actor(project: Project) -> str:
    """Who runs this: the provider's word for it, or the address that git knows."""
    for provider, person in _CI.items():
        if os.environ.get(provider):
            return os.environ.get(person) or "CI"
    known = git_or_none(project.root, "config", "user.email")
    return known or os.environ.get("USER") or "somebody"


def move_timestamp() -> str:
    """This moment, as records have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def record_move(client: mlflow.MlflowClient, project: Project, move: AliasMove) -> None:
    """Write down a move that is about to happen."""
    text = json.dumps(asdict(move))
    client.set_registered_model_tag(project.model, f"{_KEY}{move.at}", text)


def recorded_moves(client: mlflow.MlflowClient, project: Project, alias: str) -> list[AliasMove]:
    """Every recorded move of an alias, the oldest first."""
    tags = client.get_registered_model(project.model).tags
    stated = [json.loads(text) for key, text in sorted(tags.items()) if key.startswith(_KEY)]
    return [AliasMove(**{**m, "red": tuple(m["red"])}) for m in stated if m["alias"] == alias]


def aliased_version(client: mlflow.MlflowClient, project: Project, alias: str) -> int | None:
    """The version that an alias points to, None where there is no such alias."""
    try:
        return int(client.get_model_version_by_alias(project.model, alias).version)
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
        return None


def previous_version(history: Sequence[AliasMove], current: int) -> int | None:
    """The version to go back to: what was there before `current` came, by a promotion.

    Args:
        history: The moves of the alias.
        current: The version it points to.
    """
    line: list[int] = []
    for move in history:
        # What is not there when the next move begins has never come, or was moved by hand.
        while line and line[-1] != move.before:
            line.pop()
        if move.how == "promotion":
            line = [*(line or filter(None, [move.before])), move.to]
        elif line and move.to in line:
            line = line[: len(line) - line[::-1].index(move.to)]
    places = [place for place, version in enumerate(line) if version == current]
    return line[places[-1] - 1] if places and places[-1] > 0 else None


def alias_mismatch(client: mlflow.MlflowClient, project: Project, alias: str) -> str:
    """Say where an alias and its record differ; empty where they agree, or nothing is recorded."""
    known = recorded_moves(client, project, alias)
    version = aliased_version(client, project, alias)
    if not known or known[-1].to == version:
        return ""
    last = known[-1]
    return (
        f"The registry records that {last.who} moved {alias} to version {last.to} on"
        f" {last.at[:16]}, but it points to {version or 'none'}: the move did not end, or somebody"
        " moved it by hand. Promote the version that is meant."
    )


@registry_errors()
def roll_back(project: Project, why: str) -> tuple[AliasMove, str | None]:
    """Move `champion` back to the version that was champion before.

    Returns:
        The move, and the commit to deploy: None where that version needs the code of the present
        one, so that running services take it over; empty where its code was never committed.

    Raises:
        HandoffError: There is nothing to go back to.
    """
    client = registry_client(project)
    with promotion_lock(project):
        current = aliased_version(client, project, CHAMPION)
        back = (
            previous_version(recorded_moves(client, project, CHAMPION), current)
            if current
            else None
        )
        if current is None or back is None:
            raise HandoffError(
                f"There is no former champion of {project.model} to go back to:"
                " `uv run handoff model list` lists the versions."
            )
        tags = [client.get_model_version(project.model, str(v)).tags for v in (current, back)]
        move = AliasMove(
            CHAMPION, back, current, "rollback", current_actor(project), move_timestamp(), why
        )
        record_move(client, project, move)
        client.set_registered_model_alias(project.model, CHAMPION, str(back))
    here, there = tags
    if here.get("handoff.code") == there.get("handoff.code"):
        return move, None
    return move, there["handoff.commit"] if there.get("handoff.clean") == "true" else ""


@contextmanager
def promotion_lock(project: Project) -> Iterator[None]:
    """Let one promotion at a time at an embedded registry; a server's is the pipeline's to queue.

    The system lets go of the lock when its process dies, however it dies.
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
            "Another promotion or rollback is under way in this project: wait until it has ended."
        ) from error
