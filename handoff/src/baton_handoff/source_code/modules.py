"""The one reader of Python files and notebooks: parsed, never run."""

import ast
import io
import os
import re
import tokenize
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.core.errors import HandoffError
from baton_handoff.source_code.notebooks import Cell, code_cells

Function = ast.FunctionDef | ast.AsyncFunctionDef
N = TypeVar("N", bound=ast.AST)

_INSTALLED = {"__pycache__", "node_modules", "site-packages"}
"""Folders that never contain the project's own code."""

_BUILT = {"build", "dist", "env", "standards", "venv"}
"""Folders that contain no code of the project, unless they are part of its package."""

_TESTS = {"test", "tests"}
"""Folders of tests, unless they are part of the package: tests read only what is committed."""

_MARKER = re.compile(r"#\s*(source|workaround)\b")
ARCHIVE = "notebooks/archive/"
"""The folder of notebooks that nobody works on: no check reads them, no test runs them."""

_LARGEST = {".py": 10 * 2**20, ".ipynb": 100 * 2**20}
"""The size of a file in bytes above which it is taken for data; notebooks contain pictures."""

_UNREADABLE = (
    *(AttributeError, LookupError, MemoryError, OSError, RecursionError, SyntaxError, TypeError),
    ValueError,
)
"""What decoding and parsing raise for a file that is not Python or not a notebook."""


class SourceError(HandoffError):
    """A file that can't be parsed.

    Attributes:
        line: The line of a syntax error, from 1; None for other errors.
        reason: What is wrong with the file.
    """

    def __init__(self, file: str, line: int | None, reason: str) -> None:
        place = f"{file}:{line}" if line else file
        super().__init__(f"Correct {place}: {reason}.")
        self.line, self.reason = line, reason


@dataclass(frozen=True)
class SourceModule:
    """A parsed Python file.

    Attributes:
        file: The path, relative to the project.
        name: The name by which other modules import it; empty for a notebook.
        tree: The syntax tree.
        comments: The comments by line; empty if none of them names a source or a workaround.
        comment_lines: The lines that contain nothing but a comment.
    """

    file: str
    name: str
    tree: ast.Module
    comments: Mapping[int, str]
    comment_lines: Collection[int]

    @cached_property
    def _by_type(self) -> Mapping[type[ast.AST], list[Any]]:
        found: dict[type[ast.AST], list[Any]] = {}
        for node in ast.walk(self.tree):
            found.setdefault(type(node), []).append(node)
        # `ast.walk` goes level by level; readers of a report expect the order of the lines.
        for kind, nodes in found.items():
            if issubclass(kind, ast.expr | ast.stmt):
                nodes.sort(key=lambda node: (node.lineno, node.col_offset))
        return found

    def nodes(self, *types: type[N]) -> Iterator[N]:
        """The nodes of some types, each type in the order of the lines."""
        for kind in types:
            yield from self._by_type.get(kind, [])

    @cached_property
    def functions(self) -> list[Function]:
        """The functions and methods."""
        return [*self.nodes(ast.FunctionDef), *self.nodes(ast.AsyncFunctionDef)]

    @cached_property
    def imported_packages(self) -> set[str]:
        """The first part of every imported name; empty for imports relative to the module."""
        names = {alias.name for node in self.nodes(ast.Import) for alias in node.names}
        names |= {node.module or "" for node in self.nodes(ast.ImportFrom)}
        return {name.partition(".")[0] for name in names}

    def location(self, line: int) -> tuple[int, int | None]:
        """The line for a report, and the number of its cell in a notebook."""
        return line, None


@dataclass(frozen=True)
class Notebook(SourceModule):
    """A parsed notebook; in the tree the cells with valid Python follow each other.

    Attributes:
        code: The code cells.
        cells: The first line of each code cell.
        broken: The numbers of the cells that are not valid Python.
        out_of_order: Whether the cells were run in an order other than that of the notebook.
    """

    code: tuple[Cell, ...]
    cells: tuple[int, ...]
    broken: tuple[int, ...]
    out_of_order: bool

    @property
    def has_outputs(self) -> bool:
        """Whether outputs are saved in it."""
        return any(cell.outputs for cell in self.code)

    @property
    def has_error(self) -> bool:
        """Whether a cell stopped with an error."""
        return any(cell.has_error for cell in self.code)

    def cell(self, line: int) -> int:
        """The number of the cell with a line of the tree, from 1."""
        return sum(first <= line for first in self.cells)

    def location(self, line: int) -> tuple[int, int | None]:
        """The line in its cell, and the number of the cell."""
        cell = self.cell(line)
        return line - self.cells[cell - 1] + 1, cell


def project_modules(root: Path) -> Iterator[SourceModule]:
    """The Python files and notebooks of a project without tests; unreadable ones are left out."""
    for file in ProjectFiles(root).paths:
        outside = _folders_outside_package(file)
        if file.endswith((".py", ".ipynb")) and is_own(file) and _TESTS.isdisjoint(outside):
            try:
                yield read_module(root, file)
            except SourceError:
                continue


def is_own(file: str) -> bool:
    """Whether a path is code of the project: neither installed, generated nor archived."""
    if file.startswith(ARCHIVE):
        return False
    folders = PurePosixPath(file).parts[:-1]
    return _INSTALLED.isdisjoint(folders) and _BUILT.isdisjoint(_folders_outside_package(file))


def _folders_outside_package(file: str) -> tuple[str, ...]:
    """The folders of a file up to a package in src/; within a package a folder has any name."""
    folders = PurePosixPath(file).parts[:-1]
    return folders[:2] if folders[:1] == ("src",) else folders


def read_module(root: Path, file: str) -> SourceModule:
    """Parse a file of a project.

    Raises:
        SourceError: The file can't be parsed.
    """
    path = root / file
    try:
        if not path.is_file():  # to open a named pipe would wait for ever
            raise SourceError(file, None, "it is not a regular file")
        if (size := path.stat().st_size) > _LARGEST[path.suffix]:
            raise SourceError(file, None, f"it has {size / 2**20:.0f} MB, too much for code")
        content = path.read_bytes()
        # JSON is always UTF-8; Python may declare another encoding in its first lines.
        encoding = "utf-8"
        if path.suffix == ".py":
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return parse_module(file, content.decode(encoding))
    except _UNREADABLE as error:
        raise _source_error(file, error) from error


def first_line(node: ast.stmt) -> int:
    """The first line of a statement, from 1, with its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def parse_valid(texts: Mapping[str, str]) -> list[SourceModule]:
    """Parse several texts by the path of their file; those that can't be parsed are left out."""
    modules = []
    for file, text in texts.items():
        try:
            modules.append(parse_module(file, text))
        except SourceError:
            continue
    return modules


def parse_module(file: str, text: str) -> SourceModule:
    """Parse the text of a Python file or a notebook; callers must not change the tree.

    Raises:
        SourceError: The text can't be parsed.
    """
    try:
        if file.endswith(".ipynb"):
            return _parse_notebook(file, code_cells(text))
        return _parse_python(file, text)
    except _UNREADABLE as error:
        raise _source_error(file, error) from error


# Notebooks are not cached: the outputs in their text may be large.
@lru_cache(maxsize=512)
def _parse_python(file: str, text: str) -> SourceModule:
    return SourceModule(file, _module_name(file), parse(text), *_comments(text))


def parse(text: str) -> ast.Module:
    """Parse Python into a tree of the caller's own.

    Raises:
        SyntaxError: The text is not valid Python.
    """
    with warnings.catch_warnings():  # about invalid escapes such as `"\\d"`: a linter's task
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except ValueError as error:  # a null byte, before Python 3.11.4
            raise SyntaxError(str(error)) from error


def _source_error(file: str, error: BaseException) -> SourceError:
    match error:
        case SyntaxError():
            return SourceError(file, error.lineno, f"not valid Python 3: {error.msg}")
        case OSError():
            reason = os.strerror(error.errno or 0)
        case KeyError():
            reason = f"it has no {error}"
        case _:
            reason = str(error).partition("\n")[0] or type(error).__name__
    return SourceError(file, None, f"it can't be read: {reason}")


def _parse_notebook(file: str, code: Sequence[Cell]) -> Notebook:
    order = [cell.count for cell in code if cell.count]
    body: list[ast.stmt] = []
    comments: dict[int, str] = {}
    comment_lines: set[int] = set()
    starts: list[int] = []
    broken: list[int] = []
    first = 1
    for cell in code:
        starts.append(first)
        try:
            body += [ast.increment_lineno(node, first - 1) for node in parse(cell.code).body]
        except SyntaxError:  # a cell that is only half written
            broken.append(len(starts))
        by_line, alone = _comments(cell.code)
        comments |= {first - 1 + line: comment for line, comment in by_line.items()}
        comment_lines |= {first - 1 + line for line in alone}
        first += cell.code.count("\n") + 2  # an empty line, so that no cell is next to another
    return Notebook(
        file,
        "",
        ast.Module(body, []),
        comments,
        comment_lines,
        code=tuple(code),
        cells=tuple(starts),
        broken=tuple(broken),
        out_of_order=order != sorted(order),
    )


def _module_name(file: str) -> str:
    path = PurePosixPath(file).with_suffix("")
    parts = path.parts[1:] if path.parts[0] == "src" else path.parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _comments(text: str) -> tuple[dict[int, str], set[int]]:
    """The comments of a text by line, and the lines that contain nothing else."""
    comments: dict[int, str] = {}
    alone: set[int] = set()
    if not _MARKER.search(text):  # tokenizing takes longer than everything else
        return comments, alone
    code_line = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                comments[token.start[0]] = token.string
                if token.start[0] != code_line:
                    alone.add(token.start[0])
            elif token.string.strip():
                code_line = token.end[0]
    except (tokenize.TokenError, IndentationError):
        pass  # a half-written cell: the comments up to there count
    return comments, alone
