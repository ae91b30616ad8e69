"""Why a check fails: pure reasoning about an experiment, without files and processes.

A cell is the base plus the changes of some axes. A failed check belongs to the smallest cell in
which it fails too: to no change if that is the base itself, to one axis, or to several together.
"""

import re
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import TypeAlias

from baton_handoff.config.sides import CONTRACTS, DEPENDENCIES, SIDES


class ContractCheck(StrEnum):
    """The checks that an experiment runs."""

    TYPES = "types"
    LAYERS = "layers"
    TESTS = "contract tests"


@dataclass(frozen=True)
class FailedCheck:
    """One failure of a check.

    Attributes:
        check: The check.
        item: What fails: a file and an error code, an import, a test.
        message: What is wrong, the first line of the tool's own text.
        file: Where, relative to the project, None if it is in no file.
        line: The line, from 1, likewise.
        command: The command that repeats it.
        exception: The type of the exception that a test ended with, empty for other checks.
    """

    check: ContractCheck
    item: str
    message: str
    file: str | None
    line: int | None
    command: str
    exception: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes it the same failure in another tree."""
        # The message is text of a foreign tool, and comes last: it only tells apart failures that
        # agree in all other parts, such as two type errors of one code in one file. Its numbers
        # and addresses differ from tree to tree, as lines do.
        text = re.sub(r"0x[0-9a-f]+|\d+", "#", self.message)
        return self.check, self.item, self.exception, text


Axes: TypeAlias = frozenset[str]
Cell: TypeAlias = Callable[[Axes, Sequence[FailedCheck]], Sequence[FailedCheck]]
"""Runs the checks that failed elsewhere on the base plus the changes of some axes; what fails."""


class Cause(StrEnum):
    """Why a check fails."""

    CHANGE = "change"
    CONTRACT_CHANGE = "contract change"
    INHERITED = "inherited"
    INTERACTION = "interaction"
    FLAKY = "flaky"


@dataclass(frozen=True)
class Diagnosis:
    """Why one check fails.

    Attributes:
        failed: The failed check.
        cause: Why.
        axes: The axes whose changes together make it fail; empty if none does.
    """

    failed: FailedCheck
    cause: Cause
    axes: Axes = frozenset()


def diagnose(
    failures: Sequence[FailedCheck],
    changed: Sequence[str],
    cell: Cell,
    rerun: Callable[[Sequence[FailedCheck]], Sequence[FailedCheck]],
    suspect: Callable[[FailedCheck], str],
) -> Iterator[Diagnosis]:
    """Find the cause of every failed check, with as few cells as possible.

    Args:
        failures: What fails with all changes.
        changed: The axes that have changes.
        cell: Returns what fails in a cell. It may be called for the same cell more than once, and
            runs only checks that fail with all changes.
        rerun: Runs checks a second time with all changes and returns which of them fail again.
        suspect: The axis that a failed check points to; its cell is tried first.
    """
    if not failures:
        return
    with ThreadPoolExecutor() as pool:
        second_run, on_base = pool.submit(rerun, failures), pool.submit(cell, frozenset(), failures)
        steady = {failed.identity for failed in second_run.result()}
        inherited: set[object] = {failed.identity for failed in on_base.result()}
    open_failures = [
        failed
        for failed in failures
        if failed.identity in steady and failed.identity not in inherited
    ]
    for failed in failures:
        if failed.identity not in steady or (failed in open_failures and not changed):
            yield Diagnosis(failed, Cause.FLAKY)
        elif failed.identity in inherited:
            yield Diagnosis(failed, Cause.INHERITED)
        else:
            axes = _smallest(
                failed, changed, lambda some: cell(some, open_failures), suspect(failed)
            )
            yield Diagnosis(failed, _cause(axes), axes)
    known = {failed.identity for failed in failures} | inherited
    yield from _hidden(open_failures, changed, cell, known)


def _hidden(
    failures: Sequence[FailedCheck], changed: Sequence[str], cell: Cell, known: Set[object]
) -> Iterator[Diagnosis]:
    """Failures of one side's change that do not show because another side's make the check stop."""
    sides = [axis for axis in changed if axis in SIDES]
    if not failures or len(sides) < len(SIDES):
        return
    items = {failed.item for failed in failures}
    # Together with the changed contracts: a side may need what they newly promise.
    contracts = frozenset({CONTRACTS} & set(changed))
    if contracts:
        known = known | {failed.identity for failed in cell(contracts, failures)}
    for side in sides:
        for failed in cell(contracts | {side}, failures):
            if failed.item in items and failed.identity not in known:
                yield Diagnosis(failed, Cause.CHANGE, frozenset({side}))


def _smallest(
    failed: FailedCheck,
    changed: Sequence[str],
    cell: Callable[[Axes], Sequence[FailedCheck]],
    suspect: str,
) -> Axes:
    """The smallest set of axes whose changes make a check fail; all of them are known to."""
    # Dependencies last among the single ones: their cell needs an environment of its own.
    order = sorted(changed, key=lambda axis: (axis == DEPENDENCIES, axis != suspect, axis))
    for size in range(1, len(order)):
        # Where several are needed, those with the contracts come first: both sides depend on them.
        cells = sorted(
            combinations(order, size), key=lambda axes: len(axes) > 1 and CONTRACTS not in axes
        )
        for axes in cells:
            if failed.identity in {found.identity for found in cell(frozenset(axes))}:
                return frozenset(axes)
    return frozenset(changed)


def _cause(axes: Axes) -> Cause:
    # If it fails only with the new contract, the code that fails kept to the agreed one.
    if CONTRACTS in axes:
        return Cause.CONTRACT_CHANGE
    return Cause.CHANGE if len(axes) == 1 else Cause.INTERACTION
