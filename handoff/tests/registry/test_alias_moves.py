"""Going back follows the records, whatever has been moved before."""

from typing import Literal

import pytest

from baton_handoff.registry.alias_moves import AliasMove, previous_version


def history(*moves: str) -> list[AliasMove]:
    """`+3` is a promotion of 3, `-2` is going back to 2."""
    told: list[AliasMove] = []
    for number, text in enumerate(moves):
        before = told[-1].to if told else None
        how: Literal["promotion", "rollback"] = "promotion" if text[0] == "+" else "rollback"
        told.append(AliasMove("champion", int(text[1:]), before, how, "because", at=f"{number}"))
    return told


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
    ],
)
def test_one_goes_back_to_what_was_there_before(moves: str, back: int | None) -> None:
    told = history(*moves.split())
    assert previous_version(told, told[-1].to) == back


def test_a_promotion_that_died_before_its_alias_moved_was_none() -> None:
    told = [*history("+1"), *history("+1", "+2")[1:], *history("+1", "+2", "-1")[1:]]
    assert previous_version(told, 1) is None
    assert previous_version(told[:-1], 2) == 1


def test_a_version_that_came_by_no_promotion_has_no_former_one() -> None:
    assert previous_version(history("+1", "+2"), 7) is None
