"""A rollback follows the recorded moves."""

import json
from dataclasses import asdict, dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry import alias_moves, model_registry
from baton_handoff.registry.alias_moves import (
    AliasMove,
    previous_version,
    roll_back,
)
from baton_handoff.registry.followed_alias import effect_on_services, followed_alias
from baton_handoff.registry.model_registry import VersionNotFoundError, get_version
from baton_handoff.registry.version_facts import ROLLED_BACK


def history(*moves: str) -> list[AliasMove]:
    """`+3` is a promotion of 3, `-2` is going back to 2."""
    recorded: list[AliasMove] = []
    for number, text in enumerate(moves):
        before = recorded[-1].to if recorded else None
        how: Literal["promotion", "rollback"] = "promotion" if text[0] == "+" else "rollback"
        recorded.append(
            AliasMove("champion", int(text[1:]), before, how, "because", at=f"{number}")
        )
    return recorded


@pytest.mark.parametrize(
    ("moves", "back"),
    [
        ("+1", None),
        ("+1 +2", 1),
        ("+1 +2 +3", 2),
        ("+1 +2 +3 -2", 1),
        ("+1 +2 +3 -2 -1", None),
        ("+1 +2 +3 -2 +4", 2),
        ("+1 +2 +1", 2),
        ("+1 +2 -1 +2", 1),
        ("+1 +2 -1 +3 -1", None),
        ("+1 +1", None),
        ("+1 +2 +2", 1),
        ("+1 +2 +2 -1", None),
    ],
)
def test_the_previous_version_is_the_one_before_in_the_line_of_promotions(
    moves: str, back: int | None
) -> None:
    recorded = history(*moves.split())
    assert previous_version(recorded, recorded[-1].to) == back


def test_an_interrupted_promotion_does_not_count() -> None:
    recorded = [*history("+1"), *history("+1", "+2")[1:], *history("+1", "+2", "-1")[1:]]
    assert previous_version(recorded, 1) is None
    assert previous_version(recorded[:-1], 2) == 1


def test_a_version_without_a_promotion_has_no_previous_one() -> None:
    assert previous_version(history("+1", "+2"), 7) is None


@dataclass
class Registry:
    """What a client of MLflow's registry answers, in memory: MLflow's own takes seconds."""

    versions: list[int]
    aliases: dict[str, int]
    tags: dict[str, str] = field(default_factory=dict)
    version_tags: dict[tuple[str, str], str] = field(default_factory=dict)

    def get_model_version(self, _: str, version: str) -> Any:
        if int(version) not in self.versions:
            raise MlflowException("no version", RESOURCE_DOES_NOT_EXIST)
        return SimpleNamespace(version=version, tags={"handoff.code": "same"})

    def get_model_version_by_alias(self, name: str, alias: str) -> Any:
        if alias not in self.aliases:
            raise MlflowException("no alias", RESOURCE_DOES_NOT_EXIST)
        return self.get_model_version(name, str(self.aliases[alias]))

    def get_registered_model(self, _: str) -> Any:
        if not self.versions:
            raise MlflowException("no model", RESOURCE_DOES_NOT_EXIST)
        return SimpleNamespace(tags=self.tags, aliases=self.aliases)

    def search_model_versions(self, _: str) -> Any:
        return [SimpleNamespace(version=str(number)) for number in self.versions]

    def set_registered_model_tag(self, _: str, key: str, value: str) -> None:
        self.tags[key] = value

    def set_model_version_tag(self, _: str, version: str, key: str, value: str) -> None:
        self.version_tags[version, key] = value

    def set_registered_model_alias(self, _: str, alias: str, version: str) -> None:
        self.aliases[alias] = int(version)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry with versions 1 to 3: 1 and then 2 was champion, 3 is the candidate."""
    known = Registry([1, 2, 3], {"candidate": 3, "champion": 2})
    for move in history("+1", "+2"):
        known.tags[f"handoff.move.{move.at}"] = json.dumps(asdict(move))
    for module in (alias_moves, model_registry):
        monkeypatch.setattr(module, "registry_client", lambda _: known)
    return known


def test_a_rollback_moves_the_alias_and_is_recorded(project: Project, registry: Registry) -> None:
    move, other_code = roll_back(project, "it underrates snow")
    assert (move.to, move.before, move.how, other_code) == (1, 2, "rollback", None)
    assert registry.aliases["champion"] == 1
    assert registry.version_tags == {("2", ROLLED_BACK): "it underrates snow"}
    with pytest.raises(HandoffError, match="no former champion"):
        roll_back(project, "further")
    assert registry.aliases["champion"] == 1


def test_a_rollback_to_the_same_version_is_refused(project: Project, registry: Registry) -> None:
    """A promotion that was repeated, or that corrected the record, is no former champion."""
    registry.tags.clear()
    for move in history("+2", "+2"):
        registry.tags[f"handoff.move.{move.at}"] = json.dumps(asdict(move))
    with pytest.raises(HandoffError, match="no former champion of m"):
        roll_back(project, "again")


def test_a_rollback_to_a_deleted_version_is_refused(project: Project, registry: Registry) -> None:
    registry.versions.remove(1)
    with pytest.raises(HandoffError, match="no version `1` of m: it has 2, 3;"):
        roll_back(project, "it underrates snow")
    assert registry.aliases["champion"] == 2


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("candidat", "no alias `candidat` of m; did you mean `candidate`?"),
        ("Champion", "no alias `Champion` of m; did you mean `champion`?"),
        ("staging", "no alias `staging` of m: it has candidate, champion."),
        ("7", "no version `7` of m: it has 1, 2, 3; `uv run handoff model list` lists all."),
    ],
)
def test_an_unknown_version_or_alias_suggests_what_there_is(
    project: Project, registry: Registry, wanted: str, message: str
) -> None:
    with pytest.raises(VersionNotFoundError) as raised:
        get_version(project, wanted)
    assert str(raised.value) == f"The registry has {message}"
    del registry.aliases["champion"]
    with pytest.raises(VersionNotFoundError, match="of m; `uv run poe promote` makes it"):
        get_version(project, "champion")


def test_an_empty_registry_names_the_commands_that_fill_it(
    project: Project, registry: Registry
) -> None:
    registry.versions.clear()
    with pytest.raises(VersionNotFoundError, match="`uv run poe register` make the first version"):
        get_version(project, "candidat")


@pytest.mark.parametrize(
    ("alias", "variable", "why", "moves"),
    [
        ("candidate", "", "handoff.toml", False),
        ("candidate", "candidate", "HANDOFF_ALIAS", False),
        ("champion", "", "handoff.toml", True),
        ("champion", "champion", "HANDOFF_ALIAS", True),
        ("3", "3", "HANDOFF_ALIAS", False),
    ],
)
def test_a_move_of_the_champion_tells_what_the_service_does(
    monkeypatch: pytest.MonkeyPatch,
    project: Project,
    alias: str,
    variable: str,
    why: str,
    moves: bool,
) -> None:
    monkeypatch.setenv("HANDOFF_ALIAS", variable)
    following = replace(project, alias=alias)
    told = followed_alias(following)
    assert alias in told
    assert f"{why} names it" in told
    effect = effect_on_services(following, "champion", 2)
    assert "load version 2 within 10 seconds" in effect
    assert ("does not change its version" in effect) is not moves
