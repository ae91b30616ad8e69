"""A project's code, read without running it: files and notebooks, and what a name stands for."""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.source_code.notebooks import code_cells

_NOBODYS = {"__pycache__", "node_modules", "site-packages"}
"""Folders whose code is never the project's own."""

_NOT_OWN = {"build", "dist", "env", "standards", "venv"}
"""Folders whose code is not the project's own, where they are no part of its package."""

_TESTS = {"test", "tests"}
"""Folders of what reads only what is committed beside it, where they are no part of the package."""

_MEANT = re.compile(r"#\s*(source|workaround)\b")
"""What a comment begins with that says something of a source."""

N = TypeVar("N", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class SourceModule:
    """A Python file or a notebook.

    Attributes:
        file: Where it is, relative to the project.
        module: What it is imported as.
        tree: What stands in it; a notebook's cells follow each other.
        comments: Its comments, by their lines, where one of them is about a source.
        alone: The lines of those with no code in front of them.
        cells: The first line of each cell of a notebook.
    """

    file: str
    module: str
    tree: ast.Module
    comments: Mapping[int, str]
    alone: Collection[int] = ()
    cells: tuple[int, ...] = ()

    @property
    def is_notebook(self) -> bool:
        """Whether it is one."""
        return self.file.endswith(".ipynb")

    @cached_property
    def _by_type(self) -> Mapping[type[ast.AST], list[Any]]:
        """Everything that stands in it, by its kind, the first line first."""
        found: dict[type[ast.AST], list[Any]] = {}
        for node in ast.walk(self.tree):
            found.setdefault(type(node), []).append(node)
        for kind, nodes in found.items():
            if issubclass(kind, ast.expr | ast.stmt):
                nodes.sort(key=lambda node: (node.lineno, node.col_offset))
        return found

    def nodes(self, *kinds: type[N]) -> Iterator[N]:
        """What stands in it of some kinds."""
        for kind in kinds:
            yield from self._by_type.get(kind, [])

    def location(self, line: int) -> tuple[int | None, str]:
        """A line as people find it: its number, and in a notebook, instead, the cell and the line.

        The number is None in a notebook.
        """
        if not self.is_notebook:
            return line, ""
        cell = sum(first <= line for first in self.cells)
        return None, f"cell {cell}, line {line - self.cells[cell - 1] + 1}"


@dataclass
class Scope:
    """The names of a module, a class or a function.

    Attributes:
        code: Where it is.
        body: What stands in it.
        within: The scope around it, None around a module.
        function: The function, None for a module and a class.
        values: What is assigned to each name; None is something that can't be told.
        inner: The functions and classes that are defined in it.
        imports: The module of each name that is imported, and its name there; empty for a module.
    """

    code: SourceModule
    body: list[ast.stmt]
    within: "Scope | None" = None
    function: Function | None = None
    values: dict[str, list[ast.expr | None]] = field(default_factory=dict)
    inner: dict[str, "Scope"] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def parameters(self) -> list[str]:
        """The names of what the function is given."""
        if self.function is None:
            return []
        given = self.function.args
        return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """What stands in it, without what stands in the functions and classes in it."""
        found: list[ast.AST] = []
        waiting: list[ast.AST] = list(reversed(self.body))
        while waiting:
            node = waiting.pop()
            found.append(node)
            if not isinstance(node, _INNER):
                waiting += reversed(list(ast.iter_child_nodes(node)))
        return found

    def all(self) -> Iterator["Scope"]:
        """It, and every one in it."""
        yield self
        for scope in self.inner.values():
            yield from scope.all()


def project_modules(root: Path) -> Iterator[SourceModule]:
    """Every Python file and notebook of a project, but for tests; what is no code is left out."""
    for file in ProjectFiles(root).paths:
        outside = _outside(file)
        if file.endswith((".py", ".ipynb")) and is_own(file) and _TESTS.isdisjoint(outside):
            try:
                yield parse_module(file, (root / file).read_text(encoding="utf-8"))
            except (SyntaxError, ValueError, KeyError, TypeError, OSError, RecursionError):
                continue


def is_own(file: str) -> bool:
    """Whether a file, by its path in the project, is the project's own: not installed or made."""
    folders = PurePosixPath(file).parts[:-1]
    return _NOBODYS.isdisjoint(folders) and _NOT_OWN.isdisjoint(_outside(file))


def _outside(file: str) -> tuple[str, ...]:
    """The folders of a file that are no part of a package in src/: there any name may be used."""
    folders = PurePosixPath(file).parts[:-1]
    return folders[:2] if folders[:1] == ("src",) else folders


def parse_module(file: str, text: str) -> SourceModule:
    """What stands in a Python file, or in the cells of a notebook that are Python.

    Raises:
        SyntaxError, ValueError, KeyError, TypeError: It is no code.
    """
    if not file.endswith(".ipynb"):
        comments, alone = _comments(text)
        return SourceModule(file, _module(file), _parsed(text), comments, alone)
    body: list[ast.stmt] = []
    comments, alone = {}, set()
    starts: list[int] = []
    first = 1
    for cell in code_cells(text):
        starts.append(first)
        try:
            nodes = _parsed(cell).body
        except SyntaxError:
            nodes = []
        body += [ast.increment_lineno(node, first - 1) for node in nodes]
        said, by_itself = _comments(cell)
        comments |= {first - 1 + line: comment for line, comment in said.items()}
        alone |= {first - 1 + line for line in by_itself}
        first += cell.count("\n") + 2  # with a line between, so that nothing is beside the next
    return SourceModule(file, "", ast.Module(body, []), comments, alone, tuple(starts))


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():  # of what a linter says, `"\\d"` for example
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _module(file: str) -> str:
    path = PurePosixPath(file).with_suffix("")
    parts = path.parts[1:] if path.parts[0] == "src" else path.parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _comments(text: str) -> tuple[dict[int, str], set[int]]:
    """The comments of a text, by their lines, and the lines of those that stand alone.

    None where none is meant for us.
    """
    found: dict[int, str] = {}
    alone: set[int] = set()
    if not _MEANT.search(text):  # to take code apart into tokens takes longer than all the rest
        return found, alone
    begun = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string
                if token.start[0] != begun:
                    alone.add(token.start[0])
            elif token.string.strip():
                begun = token.end[0]
    except (tokenize.TokenError, IndentationError):
        pass  # a cell that is half written
    return found, alone


def scope_of(code: SourceModule) -> Scope:
    """The names of a module, and of what is defined in it."""
    scope = Scope(code, code.tree.body)
    _learn(scope)
    return scope


def _learn(scope: Scope) -> None:
    for node in scope.nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                function = None if isinstance(node, ast.ClassDef) else node
                scope.inner[node.name] = Scope(scope.code, node.body, scope, function)
                _learn(scope.inner[node.name])
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    _assign(scope, target, value)
            case ast.AnnAssign(target=target, value=value) if value:
                _assign(scope, target, value)
            case ast.NamedExpr(target=target, value=value):
                _assign(scope, target, value)
            case ast.AugAssign(target=target) | ast.For(target=target):
                _assign(scope, target, None)
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                _assign(scope, target, value)
            case ast.Import(names=names):
                for one in names:
                    scope.imports[one.asname or one.name] = (one.name, "")
            case ast.ImportFrom(names=names):
                module = _absolute(scope.code, node)
                for one in names:
                    scope.imports[one.asname or one.name] = (module, one.name)


def _assign(scope: Scope, target: ast.expr, value: ast.expr | None) -> None:
    match target:
        case ast.Name(id=name):
            scope.values.setdefault(name, []).append(value)
        case ast.Tuple(elts=several) | ast.List(elts=several):
            its = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            same = len(its) == len(several)
            for place, one in enumerate(several):
                _assign(scope, one, its[place] if same else None)


def _absolute(code: SourceModule, node: ast.ImportFrom) -> str:
    """The module that a line imports from, by its whole name."""
    if not node.level:
        return node.module or ""
    parts = code.module.split(".")
    package = code.file.endswith("__init__.py")
    above = parts[: len(parts) - node.level + package]
    return ".".join([*above, *filter(None, [node.module])])
