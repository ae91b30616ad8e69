"""What an update changes for the people of a project."""

from typing import Any

from baton_handoff.updates.difference import differences


def status(**practices: tuple[str, str, bool]) -> dict[str, Any]:
    """A status: for each practice its tier, state and whether it is reached."""
    outcomes = [
        {"practice": name, "side": "data-science", "tier": tier, "state": state, "reached": reached}
        for name, (tier, state, reached) in practices.items()
    ]
    return {"outcomes": outcomes}


MET, OPEN, UNRUN = ("met", True), ("not met", False), ("not shown", False)


def test_moves_of_practices_are_told_with_how_many_are_met() -> None:
    before = status(a=("should", *MET), b=("should", *OPEN), c=("must", *MET), e=("must", *MET))
    after = status(a=("must", *MET), b=("must", *OPEN), d=("must", *MET), e=("must", *OPEN))
    assert [*differences(before, after)] == [
        "New practices: d.",
        "No longer practices: c.",
        "2 practices become must (a, b); 1 of them is met.",
        "No longer met: e.",
    ]


def test_what_has_not_run_since_the_update_is_no_difference() -> None:
    before = status(a=("must", *MET))
    assert [*differences(before, status(a=("must", *UNRUN)))] == []
    assert [*differences({}, before)] == []
