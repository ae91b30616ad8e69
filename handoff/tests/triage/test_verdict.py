"""From what is red in which mixture of changes follows who has to act."""

from collections.abc import Mapping, Sequence

import pytest

from baton_handoff.config.sides import CONTRACTS, DATA_SCIENCE, DEPENDENCIES, ML_ENGINEERING
from baton_handoff.triage.verdict import Axes, Cause, Red, Verdict, diagnose

C, D, M, L = CONTRACTS, DATA_SCIENCE, ML_ENGINEERING, DEPENDENCIES


def red(item: str, message: str = "broken") -> Red:
    return Red("contract tests", item, message, None, None, "")


def judged(
    cells: Mapping[str, str], changed: Sequence[str], steady: bool = True
) -> tuple[list[Verdict], list[Axes]]:
    """The verdicts, and the cells that were tried.

    Args:
        cells: For each combination of axes, joined by `+`, what is red, a letter each.
        changed: The axes that changed.
        steady: Whether what is red is red again.
    """
    tried: list[Axes] = []

    def cell(axes: Axes, like: Sequence[Red]) -> list[Red]:
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
    (verdict,), _ = judged(cells, sorted(changed))
    assert (verdict.cause, verdict.axes) == (cause, frozenset(axes))


def test_what_is_green_the_second_time_is_flaky() -> None:
    (verdict,), _ = judged({D: "x"}, [D], steady=False)
    assert verdict.cause is Cause.FLAKY


def test_each_break_has_its_own_cause() -> None:
    verdicts, _ = judged({D: "x", M: "y", f"{D}+{M}": "xy"}, [D, M])
    assert [(v.red.item, set(v.axes)) for v in verdicts] == [("x", {D}), ("y", {M})]


def test_a_break_that_another_hides_is_found() -> None:
    def cell(axes: Axes, _: Sequence[Red] = ()) -> list[Red]:
        return [red("x", {D: "no features", M: "wrong answer"}[axis]) for axis in sorted(axes)][:1]

    verdicts = list(diagnose(cell(frozenset({D, M})), [D, M], cell, lambda r: r, lambda _: D))
    assert [(v.red.message, set(v.axes)) for v in verdicts] == [
        ("no features", {D}),
        ("wrong answer", {M}),
    ]


def test_what_the_contracts_alone_do_is_no_sides_fault() -> None:
    """Data science's change leaves red what the new contract broke; only the message is another."""

    def cell(axes: Axes, _: Sequence[Red] = ()) -> list[Red]:
        said = "both" if {C, M} <= axes else "the contract"
        return [red("x", said)] if C in axes else []

    head = cell(frozenset({C, D, M}))
    verdicts = list(diagnose(head, sorted([C, D, M]), cell, lambda r: r, lambda _: D))
    assert [(v.cause, set(v.axes)) for v in verdicts] == [(Cause.CONTRACT_CHANGE, {C, M})]


def test_chance_is_not_blamed_on_changes_that_there_are_not() -> None:
    (verdict,) = diagnose([red("x")], [], lambda *_: [], lambda r: r, lambda _: D)
    assert verdict.cause is Cause.FLAKY


def test_nothing_red_tries_nothing() -> None:
    assert judged({D: ""}, [D]) == ([], [])


def test_no_more_cells_are_tried_than_the_verdict_needs() -> None:
    _, tried = judged({D: "x", f"{C}+{D}": "x"}, sorted([C, D]))
    assert len(tried) <= 3
