"""From what is red in which mixture of changes follows who has to act."""

from collections.abc import Mapping, Sequence

import pytest

from baton_handoff.config.sides import CONTRACTS, DATA_SCIENCE, DEPENDENCIES, ML_ENGINEERING
from baton_handoff.triage.diagnosis import Axes, Cause, Diagnosis, FailedCheck, diagnose

C, D, M, L = CONTRACTS, DATA_SCIENCE, ML_ENGINEERING, DEPENDENCIES


def red(item: str, message: str = "broken") -> FailedCheck:
    return FailedCheck("contract tests", item, message, None, None, "")


def judged(
    cells: Mapping[str, str], changed: Sequence[str], steady: bool = True
) -> tuple[list[Diagnosis], list[Axes]]:
    """The diagnoses, and the cells that were tried.

    Args:
        cells: For each combination of axes, joined by `+`, what is red, a letter each.
        changed: The axes that changed.
        steady: Whether what is red is red again.
    """
    tried: list[Axes] = []

    def cell(axes: Axes, like: Sequence[FailedCheck]) -> list[FailedCheck]:
        tried.append(axes)
        looked_at = {red.item for red in like}
        return [red(i) for i in cells.get("+".join(sorted(axes)), "") if i in looked_at]

    reds = [red(item) for item in cells["+".join(sorted(changed))]]
    found = diagnose(reds, changed, cell, lambda r: r if steady else [], lambda _: changed[0])
    return list(found), tried


@pytest.mark.parametrize(
    ("cells", "changed", "cause", "axes"),
    [
        ({D: "x"}, [D], Cause.CHANGE, {D}),
        ({D: "x", f"{D}+{M}": "x"}, [D, M], Cause.CHANGE, {D}),
        ({M: "x", f"{D}+{M}": "x"}, [D, M], Cause.CHANGE, {M}),
        ({C: "x"}, [C], Cause.CONTRACT_CHANGE, {C}),
        ({C: "x", f"{C}+{D}": "x"}, [C, D], Cause.CONTRACT_CHANGE, {C}),
        ({D: "x", f"{C}+{D}": "x"}, [C, D], Cause.CHANGE, {D}),
        ({f"{C}+{D}": "x"}, [C, D], Cause.CONTRACT_CHANGE, {C, D}),
        ({f"{D}+{M}": "x"}, [D, M], Cause.INTERACTION, {D, M}),
        ({f"{C}+{D}": "x", f"{C}+{D}+{M}": "x"}, [C, D, M], Cause.CONTRACT_CHANGE, {C, D}),
        ({L: "x", f"{D}+{L}": "x"}, [D, L], Cause.CHANGE, {L}),
        ({"": "x", D: "x"}, [D], Cause.INHERITED, set()),
    ],
)
def test_a_break_belongs_to_the_smallest_change_that_makes_it(
    cells: Mapping[str, str], changed: Sequence[str], cause: Cause, axes: set[str]
) -> None:
    (diagnosis,), _ = judged(cells, sorted(changed))
    assert (diagnosis.cause, diagnosis.axes) == (cause, frozenset(axes))


def test_what_is_green_the_second_time_is_flaky() -> None:
    (diagnosis,), _ = judged({D: "x"}, [D], steady=False)
    assert diagnosis.cause is Cause.FLAKY


def test_each_break_has_its_own_cause() -> None:
    diagnoses, _ = judged({D: "x", M: "y", f"{D}+{M}": "xy"}, [D, M])
    assert [(v.red.item, set(v.axes)) for v in diagnoses] == [("x", {D}), ("y", {M})]


def test_a_break_that_another_hides_is_found() -> None:
    def cell(axes: Axes, _: Sequence[FailedCheck] = ()) -> list[FailedCheck]:
        return [red("x", {D: "no features", M: "wrong answer"}[axis]) for axis in sorted(axes)][:1]

    diagnoses = list(diagnose(cell(frozenset({D, M})), [D, M], cell, lambda r: r, lambda _: D))
    assert [(v.red.message, set(v.axes)) for v in diagnoses] == [
        ("no features", {D}),
        ("wrong answer", {M}),
    ]


def test_what_the_contracts_alone_do_is_no_sides_fault() -> None:
    """Data science's change leaves red what the new contract broke; only the message is another."""

    def cell(axes: Axes, _: Sequence[FailedCheck] = ()) -> list[FailedCheck]:
        said = "both" if {C, M} <= axes else "the contract"
        return [red("x", said)] if C in axes else []

    head = cell(frozenset({C, D, M}))
    diagnoses = list(diagnose(head, sorted([C, D, M]), cell, lambda r: r, lambda _: D))
    assert [(v.cause, set(v.axes)) for v in diagnoses] == [(Cause.CONTRACT_CHANGE, {C, M})]


def test_chance_is_not_blamed_on_changes_that_there_are_not() -> None:
    (diagnosis,) = diagnose([red("x")], [], lambda *_: [], lambda r: r, lambda _: D)
    assert diagnosis.cause is Cause.FLAKY


def test_nothing_red_tries_nothing() -> None:
    assert judged({D: ""}, [D]) == ([], [])


def test_no_more_cells_are_tried_than_the_verdict_needs() -> None:
    _, tried = judged({D: "x", f"{C}+{D}": "x"}, sorted([C, D]))
    assert len(tried) <= 3
