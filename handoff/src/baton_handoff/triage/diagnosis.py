"""From red checks and an experiment to diagnoses: pure reasoning, no files and no processes.

A cell is the base with the changes of some axes. A red check belongs to the smallest cell in which
it is red too: to nobody's change if that is the base itself, to one axis, or to several together.
"""

import re
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import TypeAlias

from baton_handoff.config.sides import CONTRACTS, DEPENDENCIES, SIDES


@dataclass(frozen=True)
class FailedCheck:
    """One thing that a check found.

    Attributes:
        check: `types`, `layers` or `contract tests`.
        item: What it is about: a file and an error code, an import, a test.
        message: What is wrong, the first line.
        file: Where, relative to the project, None where it is in no file.
        line: The line, from 1, likewise.
        again: The command that shows it again.
    """

    check: str
    item: str
    message: str
    file: str | None
    line: int | None
    again: str

    @property
    def kind(self) -> tuple[str, str, str]:
        """What makes it the same finding in another tree, where lines may have moved."""
        return self.check, self.item, re.sub(r"\d+|0x[0-9a-f]+", "#", self.message)


Axes: TypeAlias = frozenset[str]
Cell: TypeAlias = Callable[[Axes, Sequence[FailedCheck]], Sequence[FailedCheck]]
"""What is red in the base with the changes of some axes, as far as checks that were red say it."""


class Cause(StrEnum):
    """Why a check is red."""

    CHANGE = "change"
    CONTRACT_CHANGE = "contract change"
    INHERITED = "inherited"
    INTERACTION = "interaction"
    FLAKY = "flaky"


@dataclass(frozen=True)
class Diagnosis:
    """Why one check is red.

    Attributes:
        red: What is red.
        cause: Why.
        axes: The axes whose changes together make it red; empty where none does.
    """

    red: FailedCheck
    cause: Cause
    axes: Axes = frozenset()


def diagnose(
    reds: Sequence[FailedCheck],
    changed: Sequence[str],
    cell: Cell,
    again: Callable[[Sequence[FailedCheck]], Sequence[FailedCheck]],
    likely: Callable[[FailedCheck], str],
) -> Iterator[Diagnosis]:
    """Find the cause of every red check, trying as few cells as it takes.

    Args:
        reds: What is red with all changes.
        changed: The axes that have changes.
        cell: Says what is red in a cell; it may be asked for the same one more than once, and runs
            no check but those that were red with all changes.
        again: Runs checks a second time with all changes and says which of them are red again.
        likely: The axis that a red check points to: tried first.
    """
    if not reds:
        return
    with ThreadPoolExecutor() as pool:
        once_more, before = pool.submit(again, reds), pool.submit(cell, frozenset(), reds)
        steady = {red.kind for red in once_more.result()}
        inherited: set[object] = {red.kind for red in before.result()}
    left = [red for red in reds if red.kind in steady and red.kind not in inherited]
    for red in reds:
        if red.kind not in steady or (red in left and not changed):
            yield Diagnosis(red, Cause.FLAKY)
        elif red.kind in inherited:
            yield Diagnosis(red, Cause.INHERITED)
        else:
            axes = _smallest(red, changed, lambda cell_of: cell(cell_of, left), likely(red))
            yield Diagnosis(red, _cause(axes), axes)
    yield from _hidden(left, changed, cell, {red.kind for red in reds} | inherited)


def _hidden(
    left: Sequence[FailedCheck], changed: Sequence[str], cell: Cell, known: Set[object]
) -> Iterator[Diagnosis]:
    """What a check would say of one side's change, if another's did not make it red before."""
    sides = [axis for axis in changed if axis in SIDES]
    if not left or len(sides) < len(SIDES):
        return
    items = {red.item for red in left}
    # With the contracts as they are now: a side may need what they newly promise.
    between = frozenset({CONTRACTS} & set(changed))
    if between:
        known = known | {red.kind for red in cell(between, left)}
    for side in sides:
        for red in cell(between | {side}, left):
            if red.item in items and red.kind not in known:
                yield Diagnosis(red, Cause.CHANGE, frozenset({side}))


def _smallest(
    red: FailedCheck,
    changed: Sequence[str],
    cell: Callable[[Axes], Sequence[FailedCheck]],
    likely: str,
) -> Axes:
    """The smallest set of axes whose changes make a check red; all of them are known to."""
    # Dependencies last among the single ones: their cell needs an environment of its own.
    order = sorted(changed, key=lambda axis: (axis == DEPENDENCIES, axis != likely, axis))
    for size in range(1, len(order)):
        # Where several are needed, the contracts are tried first: they are between the two sides.
        cells = sorted(
            combinations(order, size), key=lambda axes: len(axes) > 1 and CONTRACTS not in axes
        )
        for axes in cells:
            if red.kind in {found.kind for found in cell(frozenset(axes))}:
                return frozenset(axes)
    return frozenset(changed)


def _cause(axes: Axes) -> Cause:
    # FailedCheck only with the new contract: whoever is red there met the one that was agreed.
    if CONTRACTS in axes:
        return Cause.CONTRACT_CHANGE
    return Cause.CHANGE if len(axes) == 1 else Cause.INTERACTION
