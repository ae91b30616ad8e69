"""What code says of columns, read without running it: where one is written, and who names it."""

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from baton_handoff.core.errors import HandoffError
from baton_handoff.source_code.notebooks import code_cells

_BUILDING = {"DataFrame", "from_dict"}


@dataclass(frozen=True)
class ColumnWrite:
    """A place in the code that gives a table a column.

    Attributes:
        column: The column.
        line: The line, from 1.
        table: The table that gets it, as an expression; None where it is a new one.
        value: What it gets, None where that can't be told.
    """

    column: str
    line: int
    table: ast.expr | None = None
    value: ast.expr | None = None


def parsed(file: Path) -> ast.Module:
    """The code of a Python file or of a notebook's cells; cells that are no Python are left out.

    Raises:
        HandoffError: It is no code.
    """
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix != ".ipynb":
            return ast.parse(text)
        return ast.Module([node for cell in code_cells(text) for node in _cell(cell)], [])
    except (SyntaxError, ValueError, KeyError, TypeError) as error:
        raise HandoffError(f"{file} can't be read: {error}") from error


def _cell(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def column_writes(nodes: Iterable[ast.AST]) -> Iterator[ColumnWrite]:
    """Where columns are written by name, in every way that pandas, polars and narwhals know."""
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=table, attr="with_columns" | "assign")):
                yield from _added(node, table)
            case ast.Call(func=ast.Attribute(attr="select")):
                # What is made of a column of this name is that column again, or a summary of it.
                for write in _added(node, None):
                    if write.value is None or write.column not in mentions(write.value):
                        yield write
            case ast.Call(func=ast.Attribute(value=table, attr="rename")):
                named = [one.values for one in _given(node) if isinstance(one, ast.Dict)]
                yield from (
                    ColumnWrite(*text, table) for values in named for text in _texts(values)
                )
            case ast.Call(
                func=ast.Attribute(value=table, attr="insert"),
                args=[_, ast.Constant(value=str(column)), value, *_],
            ):
                yield ColumnWrite(column, node.lineno, table, value)
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in _BUILDING:
                filled = [entry for one in _given(node) for entry in _entries(one)]
                yield from (ColumnWrite(key, value.lineno, None, value) for key, value in filled)
            case ast.Assign(targets=targets, value=value):
                yield from _assigned(targets, value)
            case ast.AugAssign(target=target, value=value):
                yield from _assigned([target], value)


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _added(call: ast.Call, table: ast.expr | None) -> Iterator[ColumnWrite]:
    for keyword in call.keywords:
        if keyword.arg:
            yield ColumnWrite(keyword.arg, keyword.value.lineno, table, keyword.value)
        else:
            for key, value in _entries(keyword.value):
                yield ColumnWrite(key, value.lineno, table, value)
    for one in call.args:
        for node in ast.walk(one):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=value, attr="alias"),
                    args=[ast.Constant(value=str(column))],
                ):
                    yield ColumnWrite(column, node.lineno, table, value)


def _assigned(targets: Iterable[ast.expr], value: ast.expr) -> Iterator[ColumnWrite]:
    for target in targets:
        match target:
            case ast.Subscript(value=table, slice=place):
                inside = place.elts[-1:] if isinstance(place, ast.Tuple) else [place]
                for column, line in _texts(inside):
                    yield ColumnWrite(column, line, table, value)
            case ast.Tuple(elts=several) | ast.List(elts=several):
                yield from _assigned(several, value)


def _entries(one: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(one, ast.Dict):
        for key, value in zip(one.keys, one.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value


def _texts(nodes: Iterable[ast.expr]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


def places(files: Iterable[Path], columns: Collection[str]) -> dict[str, list[tuple[Path, int]]]:
    """Where each column is written; in `features/` a dictionary with its name says that, too."""
    found: dict[str, list[tuple[Path, int]]] = {column: [] for column in columns}
    for file in files:
        tree = parsed(file)
        said = [(write.column, write.line) for write in column_writes(ast.walk(tree))]
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                said += _texts([*filter(None, node.keys), *node.values])
        for column, line in sorted(set(said)):
            if column in found:
                found[column].append((file, line))
    return found


def imports(tree: ast.AST, names: Collection[str]) -> bool:
    """Whether code imports one of these names from a package's own rooms, or calls it by them."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=module, names=imported) if _of_a_room(module or ""):
                if any(one.name in names for one in imported):
                    return True
            case ast.Attribute(value=ast.Name(id=room), attr=name) if _of_a_room(room):
                if name in names:
                    return True
    return False


def _of_a_room(module: str) -> bool:
    return not {"contracts", "features"}.isdisjoint(module.split("."))


def mentions(tree: ast.AST) -> set[str]:
    """Every text in code, and every name by which an argument is given."""
    nodes = list(ast.walk(tree))
    texts = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return texts | {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg}
