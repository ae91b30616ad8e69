"""The walk through a history: each merge is read, compared with the one before it, and followed."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.config.sides import covers
from baton_handoff.contracts.diff import (
    CHANGELOG,
    Difference,
    ExplainedChange,
    comparisons,
    findings,
    removals,
)
from baton_handoff.contracts.isolated_reader import ReadContracts
from baton_handoff.contracts.sentences import change_text
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import is_shallow
from baton_handoff.core.git_snapshots import GitSnapshots, snapshots_of
from baton_handoff.policy.status.change_findings import VERSION_CHECK
from baton_handoff.policy.status.definition_of_done import (
    DELETED_CHECK,
    ChangedFile,
    matters,
    missing_in,
)
from baton_handoff.policy.unmanaged.repository import paused_garbage_collection
from baton_handoff.replay.cache import Cache
from baton_handoff.replay.history import Clone, Merge, clone_of, merges_of, side_of_authors
from baton_handoff.replay.judgement import Brought, Problem, brought, new_problems
from baton_handoff.replay.reading import Facts, project_of, read_contracts, read_tree, why
from baton_handoff.reporting.findings import Finding

CACHE = "history.jsonl"
"""The file below `.handoff/` with what was read."""

_BLOCKS_FROM = {VERSION_CHECK: 1}
"""The level from which on a finding about a change blocks a push; 2 for the others."""


@dataclass
class Replay:
    """What the standards would have stopped.

    Attributes:
        level: The level whose standards judge.
        merges: The merges; the first is the state to begin with.
        earlier: The number of commits before handoff.toml.
        shallow: Whether the clone lacks the first commits.
        brought: What each merge brought that blocks, oldest first.
        unread: The merges that can't be read, and why.
        unread_contracts: The merges whose contracts can't be imported, and why.
        unseen: The practices that reading does not show, in any of the merges.
        teams: The teams of both sides.
    """

    level: int
    merges: Sequence[Merge]
    earlier: int
    shallow: bool
    brought: list[Brought] = field(default_factory=list)
    unread: list[tuple[Merge, str]] = field(default_factory=list)
    unread_contracts: list[tuple[Merge, str]] = field(default_factory=list)
    unseen: set[str] = field(default_factory=set)
    teams: Sequence[str] = ()


@dataclass(frozen=True)
class _State:
    """One merge as it was read.

    Attributes:
        merge: The merge.
        number: Its number.
        project: What the project states of itself.
        problems: The problems in its tree, also those that an exception or a baseline accepts.
        excepted: The practices that an exception accepts.
        contracts: The last contracts that could be imported; None before the first ones.
    """

    merge: Merge
    number: int
    project: Project
    problems: Sequence[Problem]
    excepted: Sequence[str]
    contracts: Mapping[str, Any] | None


@paused_garbage_collection()
def replay(
    project: Project, level: int, since: str | None, progress: Callable[[int, int], None]
) -> Replay:
    """Judge every merge of a project by the standards at a level.

    Args:
        project: The project; nothing is written to it but the cache.
        level: The level.
        since: The commit to begin with; None for the whole history.
        progress: Is called with the number of merges that are read, and of all.

    Raises:
        HandoffError: There is no history, or `since` is not in it.
    """
    cache = Cache(project.local / CACHE)
    with snapshots_of(project.root) as (snapshots, _), clone_of(project.root) as clone:
        merges, earlier = merges_of(project.root, snapshots, since)
        found = Replay(level, merges, earlier, is_shallow(project.root), teams=project.teams)
        walk = _Walk(project.root, found, snapshots, clone, cache)
        for number, merge in enumerate(merges):
            walk.step(number, merge)
            progress(number + 1, len(merges))
        found.brought = sorted([*walk.done, *walk.trees, *walk.changes], key=lambda b: b.number)
    return found


class _Walk:
    """The state of a walk: what was brought and is not repaired yet."""

    def __init__(
        self, root: Path, found: Replay, snapshots: GitSnapshots, clone: Clone, cache: Cache
    ) -> None:
        self._root, self._found, self._snapshots = root, found, snapshots
        self._clone, self._cache = clone, cache
        self._last: _State | None = None
        self._bases: dict[int, _State] = {}
        self.trees: list[Brought] = []
        self.changes: list[Brought] = []
        self.done: list[Brought] = []

    def step(self, number: int, merge: Merge) -> None:
        """Read a merge, follow what is open, and add what it brings."""
        state, before = self._read(merge, number), self._last
        if state is None:
            return
        self._last = state
        if before is None:
            return
        trees = before.merge.tree, merge.tree
        renames = self._snapshots.renames(*trees) if before.problems or self._open else {}
        new_paths = {old: new for new, old in renames.items()}
        now = Counter(one.key for one in state.problems)
        self.trees = [one.followed(now, new_paths, merge, number) for one in self.trees]
        new, earlier = new_problems(before.problems, state.problems, new_paths)
        # No change brings the exception that accepts what it brings.
        excepted = {*before.excepted} & {*state.excepted}
        new = [one for one in new if one.finding.check not in excepted]
        lacking: list[Problem] = []
        if any(matters(state.project, one.path) for one in self._snapshots.edits(*trees)):
            self.changes = [self._rejudged(one, state, new_paths) for one in self.changes]
            lacking = [*self._versions(before, state), *self._lacking(before, state)]
            lacking = [one for one in lacking if self._blocks(one)]
        if new or lacking:
            authors = side_of_authors(self._root, before.merge, merge, state.project)
            self.trees += brought(merge, number, new, authors, earlier)
            self.changes += brought(merge, number, lacking, authors)
            self._bases[number] = before
        for pending in (self.trees, self.changes):
            self.done += [one for one in pending if one.repaired]
            pending[:] = [one for one in pending if not one.repaired]

    @property
    def _open(self) -> bool:
        return bool(self.trees or self.changes)

    def _blocks(self, problem: Problem) -> bool:
        return self._found.level >= _BLOCKS_FROM.get(problem.finding.check, 2)

    def _read(self, merge: Merge, number: int) -> _State | None:
        facts = self._kept(
            f"tree {merge.tree} {merge.day}",
            merge,
            lambda folder: read_tree(folder, merge.day),
        )
        if "error" in facts:
            self._found.unread.append((merge, facts["error"]))
            return None
        self._found.unseen.update(facts["unseen"])
        project = project_of(facts, self._root, self._found.level)
        return _State(
            merge,
            number,
            project,
            [*_problems(facts, self._found.level)],
            facts["excepted"],
            self._contracts(merge, project),
        )

    def _contracts(self, merge: Merge, project: Project) -> Mapping[str, Any] | None:
        """The contracts of a merge; the last ones if they can't be imported."""
        last = self._last.contracts if self._last else None
        try:
            part = self._snapshots.part(merge.tree, f"src/{project.package}/contracts")
        except HandoffError:  # there are none
            return last
        read = self._kept(
            f"contracts {part}",
            merge,
            lambda folder: {"read": read_contracts(folder, project.package)},
        )
        if "error" in read:
            self._found.unread_contracts.append((merge, read["error"]))
            return last
        contracts: Mapping[str, Any] = read["read"]
        return contracts

    def _kept(self, name: str, merge: Merge, read: Callable[[Path], Facts]) -> Facts:
        """What was read of a merge, or `error` with the reason why it can't be."""

        def answer() -> Facts:
            folder = self._root
            try:
                folder = self._clone.at(merge.commit)
                return read(folder)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it, others are read
                kind = "" if isinstance(error, HandoffError) else f"{type(error).__name__}: "
                return {"error": f"{kind}{why(error, folder)}"}

        kept: Facts = self._cache.get(name, answer)
        return kept

    def _rejudged(self, one: Brought, state: _State, new_paths: Mapping[str, str]) -> Brought:
        """What is left of a change's problems: a later tree is compared with the same base."""
        base, check = self._bases[one.number], one.problems[0].finding.check
        left = [problem.renamed(new_paths) for problem in one.left]
        found: list[Problem] = []
        if check == VERSION_CHECK:
            found += self._versions(base, state)
        elif check == DELETED_CHECK:
            found += self._lacking(base, state)
        else:
            for file in {problem.finding.file for problem in left}:
                found += self._lacking(base, state, file)
        still = {problem.key for problem in found}
        return one.reduced((p for p in left if p.key in still), state.merge, state.number)

    def _versions(self, before: _State, state: _State) -> Iterator[Problem]:
        """The contracts that changed without the version that this requires."""
        if before.contracts is None or state.contracts is None:
            return
        file = _contracts_folder(state.project)
        path = f"{file}{CHANGELOG}"
        texts = [self._snapshots.texts(one.merge.tree, [path]) for one in (before, state)]
        recorded = removals(*(one.get(path, "") for one in texts))
        for one in comparisons(ReadContracts(before.contracts), ReadContracts(state.contracts)):
            changes = tuple(ExplainedChange(change, None, None) for change in one.changes)
            if not changes:
                continue
            for finding in findings(
                [Difference(one, changes, state.project.level, one.contract in recorded)]
            ):
                if finding.check == VERSION_CHECK:
                    broken = f"; breaking for {' and '.join(one.consent)}" if one.consent else ""
                    evidence = tuple(change_text(change) + broken for change in one.changes)
                    yield Problem(
                        replace(finding, file=file, evidence=evidence, fix=""), "push", one.contract
                    )

    def _lacking(
        self, before: _State, state: _State, about: str | None = None
    ) -> Iterator[Problem]:
        """The tests and descriptions that a change lacks.

        Args:
            before: The state before it.
            state: The state after it.
            about: A file of which alone to judge: only tests that name it count.
        """
        edits = self._snapshots.edits(before.merge.tree, state.merge.tree)
        paths = [one.path for one in edits if matters(state.project, one.path)]
        texts = [self._snapshots.texts(one.merge.tree, paths) for one in (before, state)]
        files = [ChangedFile(path, *(one.get(path) for one in texts)) for path in paths]
        if about:
            words = _words(about, next((f.after or "" for f in files if f.path == about), ""))
            files = [f for f in files if f.path == about or _names(f, words)]
        for finding in missing_in(state.project, files):
            # A file lacks its test once, a contract the descriptions of several columns.
            in_contracts = covers(_contracts_folder(state.project), finding.file or "")
            yield Problem(finding, "push", finding.message if in_contracts else "")


def _problems(facts: Facts, level: int) -> Iterator[Problem]:
    """The problems of a tree that block at a level."""
    for one in facts["problems"]:
        stated = {name: value for name, value in one.items() if name != "stages"}
        finding = Finding(**stated | {"evidence": tuple(one["evidence"])})
        if stage := one["stages"][level]:
            yield Problem(finding, stage, finding.message if finding.file else "")


def _contracts_folder(project: Project) -> str:
    return f"src/{project.package}/contracts/"


def _words(path: str, text: str) -> set[str]:
    """The names by which a test refers to a module: its own, and those of what it defines."""
    file = PurePosixPath(path)
    module = file.parent.name if file.stem == "__init__" else file.stem
    return {module, *re.findall(r"(?m)^(?:def|class) (\w+)", text)}


def _names(file: ChangedFile, words: Iterable[str]) -> bool:
    return covers("tests/", file.path) and not set(words).isdisjoint(
        re.findall(r"\w+", file.after or "")
    )
