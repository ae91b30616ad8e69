"""Which cell uses what another cell has made."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from baton_handoff.notebooks.cells import CellNames, NotebookNames
from baton_handoff.source_code.modules import Function

_CHANGING = {
    *("add", "append", "clear", "discard", "drop_in_place", "extend", "fit", "insert", "pop"),
    *("partial_fit", "popitem", "remove", "setdefault", "sort", "update"),
}
"""Methods that change the object."""


@dataclass(frozen=True)
class Arrow:
    """Names that one cell uses and another one has made.

    Attributes:
        source: The number of the cell that defined or changed the names last, from 1.
        target: The number of the cell that uses them; the smaller one if the order is wrong.
        names: The names, sorted.
        helpers: Whether they are functions and classes, not data.
    """

    source: int
    target: int
    names: tuple[str, ...]
    helpers: bool


class DataFlow:
    """The data flow between the cells of a notebook.

    Attributes:
        helpers: The names of functions and classes of the notebook.
        used: The names that each cell needs of others, by the number of the cell.
        made: The names that each cell defines or changes, without imports.
    """

    def __init__(self, names: NotebookNames) -> None:
        nodes = [(name, node) for cell in names.cells for name, node in cell.defined.items()]
        imported = {name for name, node in nodes if isinstance(node, ast.Import | ast.ImportFrom)}
        definitions = {name for name, node in nodes if isinstance(node, Function | ast.ClassDef)}
        self.helpers = definitions - {name for name, node in nodes if isinstance(node, ast.Name)}
        needs: dict[str, set[str]] = {name: set() for name in definitions}
        direct = {cell.number: set(_read_at_once(cell, needs)) for cell in names.cells}
        self.used: dict[int, set[str]] = {}
        self.made: dict[int, set[str]] = {}
        for cell in names.cells:
            number, defined = cell.number, {*cell.defined}
            used = direct[number] | _reached(cell.read & {*needs}, needs) - defined
            self.used[number] = used - imported
            changed = {name for one in cell.body for name in changed_names(one)}
            self.made[number] = (defined | changed & used) - imported

    @cached_property
    def arrows(self) -> list[Arrow]:
        """All arrows, by target and source."""
        latest: dict[str, int] = {}
        found: dict[tuple[int, int, bool], set[str]] = {}
        for number, used in self.used.items():
            for name in used:
                later = (one for one in self.made if one > number and name in self.made[one])
                if source := latest.get(name) or next(later, None):
                    found.setdefault((number, source, name in self.helpers), set()).add(name)
            latest |= dict.fromkeys(self.made[number], number)
        return [
            Arrow(source, target, tuple(sorted(names)), helpers)
            for (target, source, helpers), names in sorted(found.items())
        ]

    def inputs(self, first: int, last: int) -> list[str]:
        """The data that cells take from others, sorted."""
        return self._names(
            one
            for one in self.arrows
            if first <= one.target <= last and not first <= one.source <= last
        )

    def outputs(self, first: int, last: int) -> list[str]:
        """The data that cells make and later ones use, sorted."""
        return self._names(one for one in self.arrows if first <= one.source <= last < one.target)

    @staticmethod
    def _names(arrows: Iterator[Arrow]) -> list[str]:
        return sorted({name for one in arrows if not one.helpers for name in one.names})


def _read_at_once(cell: CellNames, needs: Mapping[str, set[str]]) -> Iterator[str]:
    """The names that a cell reads of others when it runs; what its functions read goes to `needs`.

    A lambda runs at once as a rule: `t.apply(lambda row: …)`.
    """
    owners = {
        id(node): one.name
        for one in cell.body
        if isinstance(one, Function | ast.ClassDef)
        for node in ast.walk(one)
    }
    for use in cell.used:
        owner = owners.get(id(use.node))
        if owner and use.deferred:
            needs[owner].add(use.name)
        elif not (use.deferred and use.name in cell.defined):
            yield use.name


def _reached(names: set[str], needs: Mapping[str, set[str]]) -> set[str]:
    """What functions need when they are called, also by way of others."""
    waiting, found = [*names], set(names)
    while waiting:
        more = needs.get(waiting.pop(), set()) - found
        found |= more
        waiting += more
    return found


def changed_names(statement: ast.AST) -> Iterator[str]:
    """The names whose objects a statement changes: columns, attributes, `inplace`, `fit`."""
    for node in ast.walk(statement):
        match node:
            case (
                ast.Subscript(ctx=ast.Store() | ast.Del())
                | ast.Attribute(ctx=ast.Store() | ast.Del())
            ):
                yield from _root(node)
            case ast.Call(func=ast.Attribute(value=value, attr=name), keywords=keywords):
                in_place = any(
                    one.arg == "inplace" and getattr(one.value, "value", False) is True
                    for one in keywords
                )
                if name in _CHANGING or in_place:
                    yield from _root(value)


def _root(node: ast.expr) -> Iterator[str]:
    """The name at the beginning of an expression."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id
