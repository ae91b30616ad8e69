"""Which side has to act follows from the mixtures of changes in which a check fails."""

import random
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from baton_handoff.config.project import Project
from baton_handoff.config.sides import CONTRACTS, DATA_SCIENCE, DEPENDENCIES, ML_ENGINEERING
from baton_handoff.triage.diagnosis import CHANCE, Axes, Cause, Diagnoses, Diagnosis, chance
from baton_handoff.triage.outcomes import ContractCheck, FailedCheck, Outcome
from baton_handoff.triage.report import Facts, finding_of

C, D, M, L = CONTRACTS, DATA_SCIENCE, ML_ENGINEERING, DEPENDENCIES


def failed(item: str, code: str = "", **more: Any) -> FailedCheck:
    failure = FailedCheck(ContractCheck.TESTS, item, "broken", None, None, "", anchor=(code,))
    return replace(failure, **more)


def diagnosed(
    cell: Callable[[Axes, int], Outcome], changed: Sequence[str], touched: Collection[str] = ()
) -> list[Diagnosis]:
    """The diagnoses of an experiment.

    Args:
        cell: The outcome of a run of a cell.
        changed: The axes that changed.
        touched: The files that changed.
    """
    head = cell(frozenset(changed), 0).failures
    run = lambda axes, _, number: cell(axes, number)  # noqa: E731
    return list(Diagnoses(head, changed, run, lambda _: changed[0], touched))


def table(cells: Mapping[str, str], ran: list[Axes] | None = None) -> Callable[..., Outcome]:
    """A cell with the same outcome each time.

    Args:
        cells: For each combination of axes, joined by `+`, what fails, a letter each.
        ran: The list of the cells that ran.
    """

    def cell(axes: Axes, _: int) -> Outcome:
        if ran is not None:
            ran.append(axes)
        found = [failed(item) for item in cells.get("+".join(sorted(axes)), "")]
        return Outcome(found, frozenset("xy"))

    return cell


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
    (diagnosis,) = diagnosed(table(cells), sorted(changed))
    assert (diagnosis.cause, diagnosis.axes) == (cause, frozenset(axes))


def test_each_failure_has_a_cause_of_its_own() -> None:
    diagnoses = diagnosed(table({D: "x", M: "y", f"{D}+{M}": "xy"}), [D, M])
    assert [(one.failed.item, set(one.axes)) for one in diagnoses] == [("x", {D}), ("y", {M})]


def test_both_sides_are_named_if_each_breaks_the_same_test() -> None:
    cells = dict.fromkeys([D, M, f"{D}+{M}", f"{C}+{D}", f"{C}+{M}", f"{C}+{D}+{M}"], "x")
    for changed in ([D, M], [C, D, M]):
        diagnoses = diagnosed(table(cells), sorted(changed, reverse=True))
        assert {(one.failed.item, *one.axes) for one in diagnoses} == {("x", D), ("x", M)}


def test_a_side_that_only_follows_a_changed_contract_is_not_named() -> None:
    """Without data science's break, the new contract alone makes the test fail."""
    cells = {D: "x", C: "x", f"{C}+{M}": "x", f"{D}+{M}": "x", f"{C}+{D}+{M}": "x"}
    diagnoses = diagnosed(table(cells), [D, M, C])
    assert [set(one.axes) for one in diagnoses] == [{D}]


def test_a_failure_that_another_one_hides_is_found() -> None:
    def cell(axes: Axes, _: int) -> Outcome:
        places = {D: "no features", M: "wrong answer"}
        return Outcome([failed("x", places[axis]) for axis in sorted(axes)][:1], frozenset("x"))

    assert [(one.failed.anchor, set(one.axes)) for one in diagnosed(cell, [D, M])] == [
        (("no features",), {D}),
        (("wrong answer",), {M}),
    ]


def test_a_failure_behind_a_file_that_can_not_be_imported_is_found() -> None:
    def cell(axes: Axes, _: int) -> Outcome:
        if D in axes:
            return Outcome([failed("tests/contract", stops="*")])
        return Outcome([failed("x")] if M in axes else [], frozenset("x"))

    assert [(one.failed.item, set(one.axes)) for one in diagnosed(cell, [D, M])] == [
        ("tests/contract", {D}),
        ("x", {M}),
    ]


def test_a_failure_of_the_contract_change_alone_is_not_attributed_to_a_side() -> None:
    """With data science's change the same test fails by the contract, in another place."""

    def cell(axes: Axes, _: int) -> Outcome:
        place = "both" if {C, M} <= axes else "the contract"
        return Outcome([failed("x", place)] if C in axes else [], frozenset("x"))

    diagnoses = diagnosed(cell, sorted([C, D, M]))
    assert [(one.cause, set(one.axes)) for one in diagnoses] == [(Cause.CONTRACT_CHANGE, {C, M})]


def test_without_a_failure_no_cell_runs() -> None:
    ran: list[Axes] = []
    assert diagnosed(table({D: ""}, ran), [D]) == []
    assert ran == [frozenset({D})]


@pytest.mark.parametrize(
    ("base", "code", "touched", "cause"),
    [
        (failed("tests/contract", stops="*"), "x", [], Cause.UNCOVERED),
        (failed("test_x.py", stops="test_x.py"), "x", [], Cause.UNCOVERED),
        (failed("test_x.py::test_x", "another line"), "x", [], Cause.UNCOVERED),
        (failed("tests/contract", stops="*"), "x", [None], Cause.CHANGE),
        (failed("test_y.py", stops="test_y.py"), "x", [], Cause.CHANGE),
        (failed("test_x.py::test_y"), "x", [], Cause.CHANGE),
        (failed("test_x.py::test_x", "x"), "x", [], Cause.INHERITED),
    ],
)
def test_who_corrects_an_older_failure_is_not_blamed_for_what_it_hid(
    base: FailedCheck, code: str, touched: Any, cause: Cause
) -> None:
    def cell(axes: Axes, _: int) -> Outcome:
        found = failed("test_x.py::test_x", code) if axes else base
        return Outcome([found], frozenset({"test_x.py::test_x"}))

    (diagnosis,) = diagnosed(cell, [D], touched)
    assert diagnosis.cause is cause


@pytest.mark.parametrize(
    ("is_broken_before", "cause"), [(True, Cause.UNCOVERED), (False, Cause.CHANGE)]
)
def test_a_corrected_import_does_not_excuse_another_break(
    is_broken_before: bool, cause: Cause
) -> None:
    """The change corrects an import; what the correction alone shows decides."""

    def cell(axes: Axes, _: int) -> Outcome:
        if not axes:
            return Outcome([failed("tests/contract", stops="*", file="fixed.py")])
        return Outcome([failed("x")] if D in axes or is_broken_before else [], frozenset("x"))

    (diagnosis,) = diagnosed(cell, [D], ["fixed.py", "other.py"])
    assert diagnosis.cause is cause


def test_a_test_that_always_fails_in_another_way_is_not_flaky() -> None:
    numbers = count()

    def cell(axes: Axes, _: int) -> Outcome:
        return Outcome([failed("x", str(next(numbers)))] if D in axes else [], frozenset("x"))

    (diagnosis,) = diagnosed(cell, [D, M])
    assert (diagnosis.cause, diagnosis.axes) == (Cause.CHANGE, frozenset({D}))


def flaky(share: float, changed: Sequence[str], number: int, tests: Set[str]) -> Cause | None:
    """The cause that triage finds for a test that fails in a share of all runs; None if none."""
    runs = random.Random(number)

    def cell(axes: Axes, _: int) -> Outcome:
        is_new = not tests and not axes
        return Outcome([failed("x")] if not is_new and runs.random() < share else [], tests)

    return next((one.cause for one in diagnosed(cell, changed)), None)


@pytest.mark.parametrize("changed", [[D], [D, M], sorted([C, D, M])])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_flaky_test_is_attributed_to_a_change_in_less_than_a_twentieth_of_all_red_runs(
    share: float, changed: list[str]
) -> None:
    causes = [flaky(share, changed, number, frozenset("x")) for number in range(1000)]
    red = [cause for cause in causes if cause]
    blamed = [cause for cause in red if cause not in (Cause.FLAKY, Cause.INHERITED)]
    assert len(red) > 90
    assert len(blamed) <= CHANCE * len(red)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_a_new_flaky_test_is_called_flaky(share: float) -> None:
    causes = [flaky(share, [M], number, frozenset()) for number in range(1000)]
    red = [cause for cause in causes if cause]
    assert red.count(Cause.FLAKY) >= (1 - CHANCE) * len(red)


def test_the_confidence_of_a_diagnosis_follows_from_its_runs() -> None:
    ran: list[Axes] = []
    (diagnosis,) = diagnosed(table({D: "x", f"{D}+{M}": "x"}, ran), [D, M])
    assert (diagnosis.red, diagnosis.green) == (4, 3)
    assert diagnosis.chance == chance(4, 3) == pytest.approx((4 / 7) ** 4 * (3 / 7) ** 3)
    assert len(ran) == 11


def test_what_python_can_not_import_is_not_repeated() -> None:
    ran: list[Axes] = []

    def cell(axes: Axes, _: int) -> Outcome:
        ran.append(axes)
        missing = failed("tests/contract", exception="ImportError", stops="*")
        return Outcome([missing] if axes else [])

    (diagnosis,) = diagnosed(cell, [D])
    assert (diagnosis.cause, len(ran)) == (Cause.CHANGE, 2)


def test_the_same_failure_has_the_same_identity_in_each_tree() -> None:
    """Lines, messages with paths and addresses, and new names of files don't matter."""
    first = failed("a.py::test_x", "assert price == 1", exception="AssertionError")
    there = replace(first, message="assert 1.7 == 1 at 0x2c in /tmp/other", line=7)
    assert there.identity == first.identity
    assert first.renamed({"a.py": "b.py"}).item == "b.py::test_x"
    for other in (
        replace(first, exception="KeyError"),
        replace(first, check=ContractCheck.TYPES),
        replace(first, anchor=("assert price == 2",)),
    ):
        assert other.identity != first.identity


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
        "ml-engineering (max@example.com) has to act: the change broke the contract test"
        " tests/a.py::x"
    )
    assert found.evidence[-1] == (
        "fails on main (c0ffee) plus the changes under src/trips/serving/ (ml-engineering's"
        " folder); passes without them"
    )


@pytest.mark.parametrize(
    ("place", "shown"),
    [(("src/trips/serving/app.py", 4), ("src/trips/serving/app.py", 4)), (None, ("tests/a.py", 9))],
)
def test_the_place_is_the_changed_line_if_the_failure_shows_elsewhere(
    place: tuple[str, int] | None, shown: tuple[str, int]
) -> None:
    project = Project(Path(), "trips", "m", "candidate")
    paths = ["src/trips/serving/app.py"]
    facts = Facts(project, "main (c0ffee)", [D], paths, [], None, place)
    there = replace(failed("tests/a.py::x"), file="tests/a.py", line=9)
    found = finding_of([Diagnosis(there, Cause.CHANGE, frozenset({M}))], facts)
    assert (found.file, found.line) == shown


def test_one_finding_shows_a_failure_of_each_check_and_folds_the_rest() -> None:
    tests = [Diagnosis(failed(f"tests/a.py::x{n}"), Cause.CHANGE, frozenset({L})) for n in range(9)]
    types = replace(failed("a.py [x]", line=3), check=ContractCheck.TYPES, message="wrong type")
    facts = Facts(
        Project(Path(), "trips", "m", "candidate"), "main (c0ffee)", [D], ["uv.lock"], [], None
    )
    found = finding_of([*tests, Diagnosis(types, Cause.CHANGE, frozenset({L}))], facts)
    assert found.message == (
        "the author has to act: the change of dependencies broke the type check"
    )
    assert {line.partition(":")[0] for line in found.evidence[:2]} == {"types", "contract tests"}
    assert "and 8 more checks fail for the same cause" in found.evidence
    assert "(the dependencies)" in found.evidence[-1]
