"""Where code writes the columns of tables, found without running it."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_CONSTRUCTORS = {"DataFrame", "from_dict"}


@dataclass(frozen=True)
class ColumnWrite:
    """A place in the code that adds a column to a table or replaces one.

    Attributes:
        column: The column.
        line: The line, from 1.
        table: The expression for the table; None if the code makes a new one.
        value: The expression for the values, None if there is none.
    """

    column: str
    line: int
    table: ast.expr | None = None
    value: ast.expr | None = None


def column_writes(nodes: Iterable[ast.AST]) -> Iterator[ColumnWrite]:
    """The columns that code writes by name, in the ways of pandas, Polars and narwhals."""
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=table, attr="with_columns" | "assign")):
                yield from _keyword_writes(node, table)
            case ast.Call(func=ast.Attribute(attr="select")):
                # A column computed from one of the same name is a summary of it, or unchanged.
                for write in _keyword_writes(node, None):
                    if write.value is None or write.column not in mentioned_names(write.value):
                        yield write
            case ast.Call(func=ast.Attribute(value=table, attr="rename")):
                mappings = [one for one in _arguments(node) if isinstance(one, ast.Dict)]
                for mapping in mappings:
                    yield from (ColumnWrite(*text, table) for text in _texts(mapping.values))
            case ast.Call(
                func=ast.Attribute(value=table, attr="insert"),
                args=[_, ast.Constant(value=str(column)), value, *_],
            ):
                yield ColumnWrite(column, node.lineno, table, value)
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if (
                name in _CONSTRUCTORS
            ):
                for argument in _arguments(node):
                    yield from _dict_writes(argument, None)
            case ast.Assign(targets=targets, value=value):
                yield from _assignments(targets, value)
            case ast.AugAssign(target=target, value=value):
                yield from _assignments([target], value)


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _keyword_writes(call: ast.Call, table: ast.expr | None) -> Iterator[ColumnWrite]:
    """The columns named by keywords, by an unpacked dict and by `alias`."""
    for keyword in call.keywords:
        if keyword.arg:
            yield ColumnWrite(keyword.arg, keyword.value.lineno, table, keyword.value)
        else:
            yield from _dict_writes(keyword.value, table)
    for node in (node for argument in call.args for node in ast.walk(argument)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=value, attr="alias"),
                args=[ast.Constant(value=str(column))],
            ):
                yield ColumnWrite(column, node.lineno, table, value)


def _assignments(targets: Iterable[ast.expr], value: ast.expr) -> Iterator[ColumnWrite]:
    for target in targets:
        match target:
            case ast.Subscript(value=table, slice=index):
                # With `loc` the column is the last part of the index.
                last = index.elts[-1:] if isinstance(index, ast.Tuple) else [index]
                for column, line in _texts(last):
                    yield ColumnWrite(column, line, table, value)
            case ast.Tuple(elts=several) | ast.List(elts=several):
                yield from _assignments(several, value)


def _dict_writes(node: ast.expr, table: ast.expr | None) -> Iterator[ColumnWrite]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield ColumnWrite(key.value, value.lineno, table, value)


def _texts(nodes: Iterable[ast.AST | None]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


def dict_texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The texts that are keys or values of a dict, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from _texts([*node.keys, *node.values])


def mentioned_names(tree: ast.AST) -> set[str]:
    """The texts in code and the names of keyword arguments."""
    nodes = list(ast.walk(tree))
    return {text for text, _ in _texts(nodes)} | {
        node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg
    }
