"""Going back follows the records, whatever has been moved before."""

import pytest

from baton_handoff.registry.records import Move, former


def history(*moves: str) -> list[Move]:
    """`+3` is a promotion of 3, `-2` is going back to 2."""
    told: list[Move] = []
    for number, text in enumerate(moves):
        before = told[-1].to if told else None
        how = "promotion" if text[0] == "+" else "rollback"
        told.append(Move("champion", int(text[1:]), before, how, "ada", f"{number}", "because"))  # type: ignore[arg-type]
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
    assert former(told, told[-1].to) == back


def test_a_promotion_that_died_before_its_alias_moved_was_none() -> None:
    told = [*history("+1"), *history("+1", "+2")[1:], *history("+1", "+2", "-1")[1:]]
    assert former(told, 1) is None
    assert former(told[:-1], 2) == 1


def test_a_version_that_came_by_no_promotion_has_no_former_one() -> None:
    assert former(history("+1", "+2"), 7) is None
