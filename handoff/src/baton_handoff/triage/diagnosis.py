"""Why a check fails: pure reasoning about an experiment, without files and processes.

A cell is the base plus the changes of some axes. A failed check belongs to the smallest cell in
which it fails too: to no change if that is the base itself, to one axis, or to several together.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations
from typing import TypeAlias

from baton_handoff.config.sides import CONTRACTS, DEPENDENCIES, SIDES
from baton_handoff.triage.outcomes import ContractCheck, FailedCheck, Outcome

CHANCE = 0.05
"""The probability below which a flaky test counts as excluded."""


Axes: TypeAlias = frozenset[str]
Cell: TypeAlias = Callable[[Axes, Collection[ContractCheck], int], Outcome]
"""Runs checks on the base plus the changes of some axes and files. A higher number of the run is a
new run; the same number may return the same outcome again."""


class Cause(StrEnum):
    """Why a check fails."""

    CHANGE = "change"
    CONTRACT_CHANGE = "contract change"
    INHERITED = "inherited"
    INTERACTION = "interaction"
    FLAKY = "flaky"
    UNCOVERED = "uncovered"


@dataclass(frozen=True)
class Diagnosis:
    """Why one check fails.

    Attributes:
        failed: The failed check.
        cause: Why.
        axes: The axes whose changes together make it fail; empty if none does.
        red: The runs with these changes in which it failed; of a flaky check, those of `runs`.
        green: The runs without them in which it passed.
        runs: The runs of a flaky check on the same files.
        chance: The highest probability that a flaky test has this outcome.
        repair: Changed files without whose change the base could not show the failure.
    """

    failed: FailedCheck
    cause: Cause
    axes: Axes = frozenset()
    red: int = 0
    green: int = 0
    runs: int = 0
    chance: float = 0.0
    repair: frozenset[str] = frozenset()


def chance(red: int, green: int) -> float:
    """The highest probability that a test fails in all red runs and passes in all green ones.

    It holds for every test whose outcome does not depend on the tree, however often that fails. A
    test that the base does not have can't pass there: then the probability is that of a test that
    fails in every second run.
    """
    runs = red + green
    return float((red / runs) ** red * (green / runs) ** green) if green else 0.5**red


class Diagnoses:
    """The cause of every failed check of an experiment, found with as few cells as possible.

    Args:
        failures: What fails with all changes.
        changed: The axes that have changes.
        cell: Runs a cell.
        suspect: The axis that a failed check points to; its cell is tried first.
        paths: The files that changed.
    """

    def __init__(
        self,
        failures: Sequence[FailedCheck],
        changed: Sequence[str],
        cell: Cell,
        suspect: Callable[[FailedCheck], str],
        paths: Collection[str],
    ) -> None:
        self._run, self._changed, self._suspect = cell, changed, suspect
        self._paths, self._head = paths, frozenset(changed)
        self._repair = _NONE
        self._failures = list({failed.identity: failed for failed in failures}.values())
        if not failures:
            return
        self._checks = frozenset(failed.check for failed in failures)
        doubtful = not all(failed.is_certain for failed in failures)
        self._base, *again = self._cells((_NONE, 0), *[(self._head, 1)][:doubtful])
        self._again = again[0] if again else Outcome(failures)
        # What stopped a check on the base and was corrected hides what else failed there: all cells
        # begin with this correction.
        self._unrepaired = self._base
        stopped = [f for f in self._base.failures if f.stops and not self._again.has(f)]
        self._repair = frozenset(f.file for f in stopped if f.file and f.file in paths)
        if self._repair:
            self._base = self._cell(_NONE)
        # A test that fails each time, but in another way, is followed by its name alone.
        self._varying = {
            failed.item
            for failed in failures
            if not self._again.has(failed) and self._again.has_item(failed)
        }
        followed = {
            failed.item if self._varies(failed) else failed.identity: failed
            for failed in self._failures
        }
        self._failures = list(followed.values())

    def __iter__(self) -> Iterator[Diagnosis]:
        """Yield the diagnoses of each failure."""
        if not self._failures:
            return
        known = [*map(self._known, self._failures)]
        opened = [f for f, found in zip(self._failures, known, strict=True) if not found]
        self._checks = frozenset(failed.check for failed in opened)
        for failed, found in zip(self._failures, known, strict=True):
            if found:
                yield found
                continue
            axes, tried = self._smallest(failed, self._head)
            yield self._confirmed(failed, axes, tried)
            yield from self._without(failed, axes, tried)
        yield from self._hidden(opened)

    def _known(self, failed: FailedCheck) -> Diagnosis | None:
        """The diagnosis if a second run and the base suffice for it."""
        if not self._fails(self._again, failed):
            return Diagnosis(failed, Cause.FLAKY, red=1, runs=2)
        if self._fails(self._unrepaired, failed):
            return Diagnosis(failed, Cause.INHERITED)
        if self._fails(self._base, failed):
            return Diagnosis(failed, Cause.UNCOVERED)
        if not self._changed:
            return Diagnosis(failed, Cause.FLAKY, red=2, runs=3)
        # The base can't show this failure, so no run without the change has passed.
        masked = self._base.hides(failed) or (
            failed.check is ContractCheck.TESTS and self._base.has_item(failed)
        )
        if masked and failed.file not in self._paths:
            return Diagnosis(failed, Cause.UNCOVERED)
        return None

    def _without(self, failed: FailedCheck, axes: Axes, tried: int) -> Iterator[Diagnosis]:
        """The other side, if its changes alone make a check fail in the same way.

        A side that only follows what is taken away here, a contract for example, fails otherwise.
        """
        rest = self._head - axes
        one_of_both = len(axes) == 1 and axes | rest & set(SIDES) == set(SIDES)
        if one_of_both and self._fails(self._cell(rest), failed):
            other, more = self._smallest(failed, rest)
            if len(other) == 1 and other < set(SIDES):
                yield self._confirmed(failed, other, tried + more)

    def _smallest(self, failed: FailedCheck, within: Axes) -> tuple[Axes, int]:
        """The smallest set of axes whose changes make a check fail, and how many were tried."""
        # Dependencies last among the single ones: their cell needs an environment of its own.
        suspect = self._suspect(failed)
        order = sorted(within, key=lambda axis: (axis == DEPENDENCIES, axis != suspect, axis))
        tried = 0
        for size in range(1, len(order)):
            # Where several are needed, those with the contracts come first: both sides depend on
            # them.
            sets = sorted(
                combinations(order, size), key=lambda axes: len(axes) > 1 and CONTRACTS not in axes
            )
            for axes in map(frozenset, sets):
                tried += 1
                if self._fails(self._cell(axes), failed):
                    return axes, tried
        return within, tried + 1

    def _confirmed(self, failed: FailedCheck, axes: Axes, tried: int) -> Diagnosis:
        """The diagnosis that some changes make a check fail, unless a repetition contradicts it.

        The first run does not count: without its failure nothing would have been tried.
        """
        # If it fails only with the new contract, the code that fails kept to the agreed one.
        cause = Cause.CHANGE if len(axes) == 1 else Cause.INTERACTION
        cause = Cause.CONTRACT_CHANGE if CONTRACTS in axes else cause
        diagnosis = Diagnosis(failed, cause, axes, repair=self._repair)
        if failed.is_certain:
            return diagnosis
        red, on_base = (1 if axes == self._head else 2), failed.item in self._base.tests
        green, more = int(on_base or bool(failed.stops)), 0
        # One of several sets may fail by chance: the shares of all of them add up to `CHANCE`.
        limit = CHANCE / (tried * (tried + 1))
        while (left := chance(red, green)) > limit:
            more += 1
            # The cell of all changes has run twice already.
            number = more + 1 if axes == self._head else more
            bare = [(_NONE, more)] if green else []
            with_change, *without = self._cells((axes, number), *bare)
            if not self._fails(with_change, failed):
                return Diagnosis(failed, Cause.FLAKY, red=number, runs=number + 1)
            if any(self._fails(outcome, failed) for outcome in without):
                return Diagnosis(failed, Cause.FLAKY, red=1, runs=more + 1)
            red, green = red + 1, green + len(without)
        return replace(diagnosis, red=red, green=green, chance=left)

    def _hidden(self, failures: Sequence[FailedCheck]) -> Iterator[Diagnosis]:
        """Failures of one side that do not show because another side's make the check stop."""
        sides = [axis for axis in self._changed if axis in SIDES]
        if not failures or len(sides) < len(SIDES):
            return
        known = {failed.identity for failed in (*self._failures, *self._base.failures)}
        # Together with the changed contracts: a side may need what they newly promise.
        contracts = frozenset({CONTRACTS} & set(self._changed))
        if contracts:
            known |= {failed.identity for failed in self._cell(contracts).failures}
        for side in sides:
            axes = contracts | {side}
            for found in self._cell(axes).failures:
                is_hidden = any(
                    other.hides(found) or (other.check, other.item) == (found.check, found.item)
                    for other in failures
                )
                if is_hidden and found.identity not in known and found.item not in self._varying:
                    diagnosis = self._confirmed(found, axes, len(sides))
                    if diagnosis.cause is not Cause.FLAKY:
                        yield replace(diagnosis, cause=Cause.CHANGE, axes=frozenset({side}))

    def _varies(self, failed: FailedCheck) -> bool:
        return failed.check is ContractCheck.TESTS and failed.item in self._varying

    def _fails(self, outcome: Outcome, failed: FailedCheck) -> bool:
        return outcome.has_item(failed) if self._varies(failed) else outcome.has(failed)

    def _cell(self, axes: Axes) -> Outcome:
        return self._run(axes | self._repair, self._checks, 0)

    def _cells(self, *cells: tuple[Axes, int]) -> list[Outcome]:
        """Run cells at the same time."""
        with ThreadPoolExecutor() as pool:
            running = [
                pool.submit(self._run, axes | self._repair, self._checks, n) for axes, n in cells
            ]
            return [cell.result() for cell in running]


_NONE: Axes = frozenset()
"""No change: the base itself."""
