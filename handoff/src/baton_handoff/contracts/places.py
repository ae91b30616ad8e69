"""The place of a change: the line that differs from the base, found without running the code."""

import ast
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from baton_handoff.contracts.changes import ChangeKind, ContractChange
from baton_handoff.core.files import text_of
from baton_handoff.source_code.modules import first_line
from baton_handoff.source_code.static_contracts import with_ancestors

_DEPTH = 4
"""How far names are followed from a column to what it is made of."""


@dataclass(frozen=True)
class Place:
    """A line of a file; the path is relative to the folder that holds the package."""

    file: str
    line: int


@dataclass(frozen=True)
class _Definition:
    """The lines of a definition, and the names in it."""

    file: str
    first: int
    last: int
    names: frozenset[str]


_Definitions: TypeAlias = Mapping[str, list[_Definition]]


class Places:
    """Find the lines that changed in the contracts of a tree."""

    def __init__(self, before: Path, after: Path, source: Path) -> None:
        """Take the folders of the contracts before and after, and the one with the package."""
        self._before, self._after, self._source = before, after, source

    def of(self, change: ContractChange) -> Place | None:
        """Return the line that makes a change; else the first line of what changed."""
        subjects = [name for name in self._subjects(change) if name in self._definitions]
        if not subjects:
            return None
        known = [place for name in subjects for place in self._definitions[name]]
        # The closest subject with all that it is made of comes before the next one.
        for definition in (found for name in subjects for found in self._reached(name)):
            lines = range(definition.first, definition.last + 1)
            for line in self._changed.get(definition.file, ()):
                if line in lines:
                    return Place(definition.file, line)
        return Place(known[0].file, known[0].first)

    def _subjects(self, change: ContractChange) -> Iterator[str]:
        """Yield the definitions that a change is about, the closest first."""
        if change.kind in (ChangeKind.CONTRACT_REMOVED, ChangeKind.UNEXPORTED):
            yield "__all__"
        contracts = with_ancestors(change.contract, self._bases)
        for contract in contracts:
            for member in filter(None, (change.name, change.column)):
                yield f"{contract}.{member}"
        yield from contracts

    def _reached(self, subject: str) -> Iterator[_Definition]:
        """Yield the definitions of a subject, then those of the names that they use, and so on."""
        seen: set[_Definition] = set()
        names = [subject]
        for _ in range(_DEPTH):
            found = [d for name in names for d in self._definitions.get(name, ()) if d not in seen]
            yield from found
            seen.update(found)
            names = sorted({name for definition in found for name in definition.names})

    @cached_property
    def _trees(self) -> dict[str, ast.Module]:
        return {
            file.relative_to(self._source).as_posix(): ast.parse(text_of(file))
            for file in sorted(self._after.rglob("*.py"))
        }

    @cached_property
    def _definitions(self) -> _Definitions:
        """Each function, class, member of a class and assigned name, wherever it is defined."""
        found: dict[str, list[_Definition]] = {}
        for file, tree in self._trees.items():
            for name, node in _defined(tree.body):
                parts = frozenset(_names(node))
                last = node.end_lineno or node.lineno
                definition = _Definition(file, first_line(node), last, parts)
                found.setdefault(name, []).append(definition)
        return found

    @cached_property
    def _bases(self) -> dict[str, list[str]]:
        return {
            node.name: [name for base in node.bases for name in _names(base)]
            for tree in self._trees.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        }

    @cached_property
    def _changed(self) -> dict[str, list[int]]:
        """The lines that differ from the base by file; for removed lines the line after them."""
        changed = {}
        for file in self._trees:
            path = self._source / file
            old = text_of(self._before / path.relative_to(self._after)).splitlines()
            new = text_of(path).splitlines()
            steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
            changed[file] = [
                line + 1
                for kind, _, _, first, last in steps
                if kind != "equal"
                for line in range(first, max(last, first + 1))
            ]
        return changed


def _defined(body: Sequence[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        match node:
            case ast.ClassDef(name=name):
                yield prefix + name, node
                yield from _defined(node.body, f"{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name, node
            case ast.Assign(targets=targets):
                yield from ((prefix + n, node) for target in targets for n in _names(target))
            case ast.AnnAssign(target=target):
                yield from ((prefix + name, node) for name in _names(target))
            case ast.If(body=first, orelse=second):
                yield from _defined([*first, *second], prefix)


def _names(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
