"""A rollback follows the recorded moves."""

from typing import Literal

import pytest

from baton_handoff.registry.alias_moves import AliasMove, previous_version


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
