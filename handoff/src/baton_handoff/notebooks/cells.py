"""The names that the cells of a notebook define and use."""

# ruff: noqa: N815 - `ast.NodeVisitor` calls methods by the names of nodes

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from baton_handoff.source_code.modules import Function, Notebook

_GIVEN = {
    *dir(builtins),
    *("In", "Out", "_", "__", "___", "display", "get_ipython", "exit", "quit"),
    *("__file__", "__name__", "dbutils", "sc", "spark"),
}
"""Names that Python, IPython or a hosted notebook defines."""

_FROM_ELSEWHERE = (
    "%run",
    "%store",
    "%load",
    "%pylab",
    "%%capture",
    "%%sql",
    "%sql",
    "globals(",
    "exec(",
)
"""What may define names that no cell shows."""


@dataclass(frozen=True)
class NameUse:
    """A place that reads a name of the notebook.

    Attributes:
        name: The name.
        node: The place.
        deferred: Whether a function reads it, which runs later.
    """

    name: str
    node: ast.Name
    deferred: bool


@dataclass
class CellNames:
    """The names of one cell.

    Attributes:
        number: The number of the cell, from 1.
        body: Its statements; none if it is not valid Python.
        defined: The names that it defines, with the first place.
        used: The names that it reads before it defines them itself, and all that functions read.
    """

    number: int
    body: Sequence[ast.stmt]
    defined: dict[str, ast.AST] = field(default_factory=dict)
    used: list[NameUse] = field(default_factory=list)

    @cached_property
    def read(self) -> set[str]:
        """Every name that it reads, also its own."""
        return {node.id for node in _names(self.body) if not isinstance(node.ctx, ast.Store)}


@dataclass(frozen=True)
class NotebookNames:
    """The names of a notebook by cell.

    Attributes:
        cells: The cells.
        complete: Whether the cells show every definition.
    """

    cells: Sequence[CellNames]
    complete: bool


def names_of(notebook: Notebook) -> NotebookNames:
    """The names that each cell defines and uses."""
    bodies: list[list[ast.stmt]] = [[] for _ in notebook.cells]
    for statement in notebook.tree.body:
        bodies[notebook.cell(statement.lineno) - 1].append(statement)
    cells = []
    for number, body in enumerate(bodies, 1):
        visitor = _Visitor(CellNames(number, body))
        for statement in body:
            visitor.visit(statement)
        cells.append(visitor.cell)
    hidden = any(mark in cell.source for cell in notebook.code for mark in _FROM_ELSEWHERE)
    stars = any(
        alias.name == "*" for node in notebook.nodes(ast.ImportFrom) for alias in node.names
    )
    return NotebookNames(cells, complete=not (notebook.broken or hidden or stars))


def _names(body: Iterable[ast.AST]) -> Iterator[ast.Name]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                yield node


class _Visitor(ast.NodeVisitor):
    """Follows the names of a cell in the order in which they are evaluated."""

    def __init__(self, cell: CellNames) -> None:
        self.cell = cell
        self._scopes: list[set[str]] = []
        self._deferred = False

    def visit_Name(self, node: ast.Name) -> None:
        """Record a use or a definition."""
        if isinstance(node.ctx, ast.Store):
            self._define(node.id, node)
        else:
            self._use(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Visit the value before the targets."""
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Record that the target is read, too."""
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._use(node.target)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Visit the value before the target."""
        if node.value:
            self.visit(node.value)
            self.visit(node.target)

    def visit_For(self, node: ast.For) -> None:
        """Visit the iterator before the target."""
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Record what is imported."""
        for alias in node.names:
            self._define(alias.asname or alias.name.partition(".")[0], node)

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Record the name of the error."""
        if node.name:
            self._define(node.name, node)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        """Record the name of a captured value."""
        if node.name:
            self._define(node.name, node)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """Record the name of the rest of a mapping."""
        if node.rest:
            self._define(node.rest, node)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        """A function that declares a name as global may define it."""
        for name in node.names:
            self.cell.defined.setdefault(name, node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """The body of a class runs at once, with names of its own."""
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self._in_scope(set(), node.body)
        self._define(node.name, node)

    def visit_FunctionDef(self, node: Function) -> None:
        """The body of a function runs later."""
        arguments = node.args
        for part in (*node.decorator_list, *arguments.defaults, *arguments.kw_defaults):
            if part is not None:
                self.visit(part)
        self._define(node.name, node)
        self._function(arguments, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A lambda runs later."""
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        self._function(node.args, [node.body])

    def visit_comprehension_of(self, node: ast.AST) -> None:
        """A comprehension has names of its own and runs at once."""
        generators = getattr(node, "generators", [])
        own = {name.id for one in generators for name in _names([one.target])}
        parts = [part for one in generators for part in (one.iter, *one.ifs)]
        values = [getattr(node, part) for part in ("key", "elt", "value") if hasattr(node, part)]
        self._in_scope(own, [*parts, *values])

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_of

    def _function(self, arguments: ast.arguments, body: Sequence[ast.AST]) -> None:
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        given += [one for one in (arguments.vararg, arguments.kwarg) if one]
        own = {one.arg for one in given}
        own |= {name.id for name in _names(body) if isinstance(name.ctx, ast.Store)}
        before, self._deferred = self._deferred, True
        self._in_scope(own, body)
        self._deferred = before

    def _in_scope(self, own: set[str], body: Iterable[ast.AST]) -> None:
        self._scopes.append(own)
        for part in body:
            self.visit(part)
        self._scopes.pop()

    def _define(self, name: str, node: ast.AST) -> None:
        if self._scopes:
            self._scopes[-1].add(name)
        else:
            self.cell.defined.setdefault(name, node)

    def _use(self, node: ast.Name) -> None:
        local = any(node.id in scope for scope in self._scopes)
        own = node.id in self.cell.defined and not self._deferred
        if not (local or own or node.id in _GIVEN):
            self.cell.used.append(NameUse(node.id, node, self._deferred))
