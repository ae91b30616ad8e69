"""The syntax of functions and classes as their module's source has it, and the names they read."""

import ast
import dis
import functools
import inspect
import linecache
import threading
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

_PARSING = threading.Lock()
"""If two threads parse at once, Python 3.11 may miscount its recursion and raise a SystemError."""


def function_syntax(code: CodeType, space: Mapping[str, Any]) -> ast.AST | None:
    """Find the syntax of a function, without what enforces nothing; None without its source."""
    found: list[ast.AST] = []
    for node in ast.walk(_tree(code.co_filename, space)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(part.lineno for part in node.decorator_list)])
            if first == code.co_firstlineno and node.name == code.co_name:
                found.append(node)
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>":
            body = node.body
            span = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
            if node.lineno == code.co_firstlineno and span in set(code.co_positions()):
                found.append(node)
    if len(found) != 1:
        return None
    (node,) = found
    return _plain(node)


def class_syntax(kind: type, space: Mapping[str, Any]) -> list[ast.AST]:
    """Find the definitions of a class; several if a condition selects one."""
    file = str(space.get("__file__", ""))
    *around, name = kind.__qualname__.split(".")
    if "<locals>" in around:
        return []
    places: list[ast.AST] = [_tree(file, space)]
    for part in around:
        places = [
            node
            for place in places
            for node in ast.walk(place)
            if isinstance(node, ast.ClassDef) and node.name == part
        ]
    return [
        _plain(node)
        for place in places
        for node in ast.walk(place)
        if isinstance(node, ast.ClassDef) and node.name == name
    ]


def _tree(file: str, space: Mapping[str, Any]) -> ast.AST:
    return _parsed("".join(linecache.getlines(file, dict(space))))


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> ast.AST:
    with _PARSING:
        return ast.parse(text)


def _plain(node: ast.AST) -> ast.AST:
    """Return a copy of a function or class without docstrings, and a function without its head."""
    with _PARSING:
        outer = ast.parse(ast.unparse(node)).body[0]
    node = outer.value if isinstance(outer, ast.Expr) else outer
    for part in ast.walk(node):
        match part:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if ast.get_docstring(part) is not None:
                    part.body = part.body[1:] or [ast.Pass()]
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            part.returns = None
        if isinstance(part, ast.arg):
            part.annotation = None
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        node.decorator_list, node.name = [], "rule"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        # Their values are described instead.
        node.args.defaults, node.args.kw_defaults = [], [None] * len(node.args.kwonlyargs)
    return node


def names_read(node: ast.AST) -> Iterator[tuple[str, ...]]:
    """Yield each name that code reads, with the attributes that follow it."""
    inner = {id(part.value) for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute | ast.Name) and id(part) not in inner:
            names: list[str] = []
            root: ast.AST = part
            while isinstance(root, ast.Attribute):
                names.insert(0, root.attr)
                root = root.value
            yield (root.id if isinstance(root, ast.Name) else "", *names)


def global_names(code: CodeType) -> set[str]:
    """Return the names that code reads from its module, also in functions inside it."""
    loads = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
    names = {step.argval for step in dis.get_instructions(code) if step.opname in loads}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= global_names(constant)
    return names


def defaults(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a function that have a default, and its value."""
    for parameter in inspect.signature(function, follow_wrapped=False).parameters.values():
        if parameter.default is not parameter.empty:
            yield parameter.name, parameter.default


def closure(function: FunctionType) -> dict[str, Any]:
    """Return the values that a function keeps of the function around it."""
    kept = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            kept[name] = cell.cell_contents
        except ValueError:  # not set yet
            continue
    return kept
