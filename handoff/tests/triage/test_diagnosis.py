"""Which side has to act follows from the mixtures of changes in which a check fails."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from baton_handoff.config.project import Project
from baton_handoff.config.sides import CONTRACTS, DATA_SCIENCE, DEPENDENCIES, ML_ENGINEERING
from baton_handoff.triage.diagnosis import (
    Axes,
    Cause,
    ContractCheck,
    Diagnosis,
    FailedCheck,
    diagnose,
)
from baton_handoff.triage.report import Facts, finding_of

C, D, M, L = CONTRACTS, DATA_SCIENCE, ML_ENGINEERING, DEPENDENCIES


def failed(item: str, message: str = "broken") -> FailedCheck:
    return FailedCheck(ContractCheck.TESTS, item, message, None, None, "")


def diagnosed(
    cells: Mapping[str, str], changed: Sequence[str], steady: bool = True
) -> tuple[list[Diagnosis], list[Axes]]:
    """The diagnoses, and the cells that were run.

    Args:
        cells: For each combination of axes, joined by `+`, what fails, a letter each.
        changed: The axes that changed.
        steady: Whether what fails fails again.
    """
    ran: list[Axes] = []

    def cell(axes: Axes, like: Sequence[FailedCheck]) -> list[FailedCheck]:
        ran.append(axes)
        wanted = {check.item for check in like}
        return [failed(i) for i in cells.get("+".join(sorted(axes)), "") if i in wanted]

    failures = [failed(item) for item in cells["+".join(sorted(changed))]]
    found = diagnose(failures, changed, cell, lambda f: f if steady else [], lambda _: changed[0])
    return list(found), ran


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
def test_a_failure_belongs_to_the_smallest_change_that_causes_it(
    cells: Mapping[str, str], changed: Sequence[str], cause: Cause, axes: set[str]
) -> None:
    (diagnosis,), _ = diagnosed(cells, sorted(changed))
    assert (diagnosis.cause, diagnosis.axes) == (cause, frozenset(axes))


def test_a_check_that_passes_the_second_time_is_flaky() -> None:
    (diagnosis,), _ = diagnosed({D: "x"}, [D], steady=False)
    assert diagnosis.cause is Cause.FLAKY


def test_each_failure_has_a_cause_of_its_own() -> None:
    diagnoses, _ = diagnosed({D: "x", M: "y", f"{D}+{M}": "xy"}, [D, M])
    assert [(one.failed.item, set(one.axes)) for one in diagnoses] == [("x", {D}), ("y", {M})]


def test_a_failure_that_another_one_hides_is_found() -> None:
    def cell(axes: Axes, _: Sequence[FailedCheck] = ()) -> list[FailedCheck]:
        texts = {D: "no features", M: "wrong answer"}
        return [failed("x", texts[axis]) for axis in sorted(axes)][:1]

    diagnoses = list(diagnose(cell(frozenset({D, M})), [D, M], cell, lambda f: f, lambda _: D))
    assert [(one.failed.message, set(one.axes)) for one in diagnoses] == [
        ("no features", {D}),
        ("wrong answer", {M}),
    ]


def test_a_failure_of_the_contract_change_alone_is_not_attributed_to_a_side() -> None:
    """With data science's change the same test fails by the contract, with another message."""

    def cell(axes: Axes, _: Sequence[FailedCheck] = ()) -> list[FailedCheck]:
        text = "both" if {C, M} <= axes else "the contract"
        return [failed("x", text)] if C in axes else []

    head = cell(frozenset({C, D, M}))
    diagnoses = list(diagnose(head, sorted([C, D, M]), cell, lambda f: f, lambda _: D))
    assert [(one.cause, set(one.axes)) for one in diagnoses] == [(Cause.CONTRACT_CHANGE, {C, M})]


def test_a_failure_without_any_change_is_flaky() -> None:
    (diagnosis,) = diagnose([failed("x")], [], lambda *_: [], lambda f: f, lambda _: D)
    assert diagnosis.cause is Cause.FLAKY


def test_without_a_failure_no_cell_runs() -> None:
    assert diagnosed({D: ""}, [D]) == ([], [])


def test_no_more_cells_run_than_the_diagnosis_needs() -> None:
    _, ran = diagnosed({D: "x", f"{C}+{D}": "x"}, sorted([C, D]))
    assert len(ran) <= 3


def test_a_failure_is_the_same_in_another_tree_whatever_its_lines_and_numbers() -> None:
    first = replace(failed("x", "row 3 at 0x7f1: 4.5"), exception="ValueError")
    assert replace(first, message="row 12 at 0x2c: 0.1", line=7).identity == first.identity
    assert replace(first, exception="KeyError").identity != first.identity
    assert replace(first, check=ContractCheck.TYPES).identity != first.identity


def test_the_report_describes_the_experiment() -> None:
    facts = Facts(
        project=Project(Path(), "trips", "m", "candidate"),
        base="main (c0ffee)",
        components=[D],
        paths=["src/trips/serving/app.py", "src/trips/serving/batch.py"],
        authors=["max@example.com"],
        since=None,
    )
    found = finding_of([Diagnosis(failed("tests/a.py::x"), Cause.CHANGE, frozenset({M}))], facts)
    assert (found.check, found.side, found.blocks) == ("triage-change", M, True)
    assert found.message == (
        "ml-engineering (max@example.com) has to act: the change broke the checks of data-science"
    )
    assert found.evidence[-1] == (
        "fails on main (c0ffee) plus the changes under src/trips/serving/ (the paths of"
        " ml-engineering); passes without them"
    )
