"""Which problems a merge brought, and in which later merge they were gone."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias

from baton_handoff.replay.history import Merge
from baton_handoff.reporting.findings import Finding

Key: TypeAlias = tuple[str, str | None, str | None, str]


@dataclass(frozen=True)
class Problem:
    """One problem in a tree or in a change.

    Attributes:
        finding: What is wrong; its side has to act, None if both or no single one has to.
        stage: The stage at which it blocks first.
        subject: What the problem is about within its check, side and file.
    """

    finding: Finding
    stage: str
    subject: str

    @property
    def key(self) -> Key:
        """What makes it the same problem in another tree; its line may move."""
        return self.finding.check, self.finding.side, self.finding.file, self.subject

    def renamed(self, new_paths: Mapping[str, str]) -> "Problem":
        """The same problem after its file got another name."""
        file = self.finding.file or ""
        return replace(self, finding=replace(self.finding, file=new_paths.get(file, file) or None))


@dataclass(frozen=True)
class Brought:
    """The problems of one check that a merge brought, for one side.

    Attributes:
        merge: The merge.
        number: Its number in the history.
        side: The side that had to act; None if no single side had to.
        problems: The problems.
        left: Those that are still there, under the present names of their files.
        allowed: How often each of these was there before the merge.
        repaired: The merge in which the last one was gone; None if one is left.
        repaired_after: The number of merges from the one to the other.
    """

    merge: Merge
    number: int
    side: str | None
    problems: Sequence[Problem]
    left: Sequence[Problem]
    allowed: Mapping[Key, int]
    repaired: Merge | None = None
    repaired_after: int = 0

    @property
    def stage(self) -> str:
        """The stage at which they block first."""
        return self.problems[0].stage

    def reduced(self, still: Iterable[Problem], merge: Merge, number: int) -> "Brought":
        """The same in a later merge, in which only some of the problems are left."""
        left = [*still]
        if left:
            return replace(self, left=left)
        after = number - self.number
        return replace(self, left=(), repaired=merge, repaired_after=after)

    def followed(
        self, now: Counter[Key], new_paths: Mapping[str, str], merge: Merge, number: int
    ) -> "Brought":
        """The same in a later merge, given the problems in its tree and the renamed files."""
        moved = [one.renamed(new_paths) for one in self.left]
        allowed = {
            new.key: self.allowed[old.key] for new, old in zip(moved, self.left, strict=True)
        }
        still = (one for one in moved if now[one.key] > allowed[one.key])
        return replace(self, allowed=allowed).reduced(still, merge, number)


def new_problems(
    before: Iterable[Problem], after: Collection[Problem], new_paths: Mapping[str, str]
) -> tuple[list[Problem], Counter[Key]]:
    """The problems of a tree that the one before it did not have as often.

    Args:
        before: The problems in the tree before.
        after: The problems in the tree.
        new_paths: The new path of each file that was renamed between them.

    Returns:
        The problems, and how often each was there before.
    """
    earlier = Counter(one.renamed(new_paths).key for one in before)
    now = Counter(one.key for one in after)
    return [one for one in after if now[one.key] > earlier[one.key]], earlier


def brought(
    merge: Merge,
    number: int,
    new: Iterable[Problem],
    authors: str | None,
    earlier: Mapping[Key, int] | None = None,
) -> Iterator[Brought]:
    """What a merge brought, by check, side and stage.

    Args:
        merge: The merge.
        number: Its number.
        new: The problems that it brought.
        authors: The side of its authors, who act where the problem itself names no single side.
        earlier: How often each problem was there before.
    """

    def kind(one: Problem) -> tuple[bool, str, str]:
        # Pushes first.
        return one.stage != "push", one.finding.check, one.finding.side or authors or ""

    for (*_, side), group in groupby(sorted(new, key=kind), kind):
        problems = [*group]
        allowed = {one.key: (earlier or {}).get(one.key, 0) for one in problems}
        yield Brought(merge, number, side or None, problems, problems, allowed)
