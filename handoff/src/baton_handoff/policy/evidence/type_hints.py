"""Type hints for functions that state none, from the values with which tests call them.

As a pytest plugin it observes these values; `HANDOFF_OBSERVED` names the file that says which
functions to observe, and that receives their types.
"""

import ast
import io
import json
import os
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from baton_handoff.notebooks.observed_types import (
    Annotation,
    annotation,
    contracts_by_import,
    observing,
    union,
)

OBSERVED = "HANDOFF_OBSERVED"
"""The environment variable that names the file."""

Hints: TypeAlias = dict[str, dict[str, dict[str, Annotation]]]
"""For each file and function in it, by its qualified name, the types of its parameters and of its
`return`."""

_TRANSPARENT = {"staticmethod", "classmethod", "property", "override"}
"""Decorators that don't read the types of the function."""

_OF_CONSTANTS = (bool, int, float, str, type(None))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Observe functions if `HANDOFF_OBSERVED` is set."""
    if not (named := os.environ.get(OBSERVED)):
        return
    file = Path(named)
    asked = json.loads(file.read_text(encoding="utf-8"))
    functions = {place: set(names) for place, names in asked["functions"].items()}
    stack = ExitStack()
    signatures = stack.enter_context(
        observing(
            # The name of a file first: most code is of other files.
            lambda code: (
                f"{code.co_filename}:{code.co_qualname}"
                if code.co_qualname in functions.get(code.co_filename, ())
                else None
            ),
            contracts_by_import(asked["package"]),
        )
    )

    def write() -> None:
        stack.close()
        file.write_text(json.dumps(signatures, default=sorted), encoding="utf-8")

    session.config.add_cleanup(write)


def untyped(text: str) -> dict[str, list[str]]:
    """The functions of a module that lack types which tests can show.

    Args:
        text: The code of the module.

    Returns:
        For each function, by its qualified name, the parameters without a type, and `return` if it
        states no result. None of a generator's or coroutine's result, of `*arguments`, and of a
        function with a decorator that may read its types.
    """
    lacking = {}
    for name, node in _functions(text).items():
        if node is None or not {*map(ast.unparse, node.decorator_list)} <= _TRANSPARENT:
            continue
        parameters = [one.arg for one in _parameters(node) if one.annotation is None]
        if node.returns is None and isinstance(node, ast.FunctionDef) and not _yields(node):
            parameters.append("return")
        if parameters:
            lacking[name] = parameters
    return lacking


def with_hints(text: str, hints: Mapping[str, Mapping[str, Annotation]]) -> str:
    """The code of a module with types where it states none, and with the imports that they need."""
    functions = _functions(text)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    edits: list[tuple[int, str]] = []
    imports: set[str] = set()
    lacking = untyped(text)
    for name, types in hints.items():
        node = functions.get(name)
        if node is None:
            continue
        for one, kind in _with_defaults(node, types).items():
            if one not in lacking.get(name, ()) or kind.code == "Any":
                continue
            place = _end_of_signature(text, node) if one == "return" else _end_of(node, one, text)
            code = f" -> {kind.code}" if one == "return" else f": {kind.code}"
            edits.append((starts[place[0] - 1] + place[1], code))
            imports |= kind.imports
    for position, code in sorted(edits, reverse=True):
        text = text[:position] + code + text[position:]
    return _with_imports(text, imports)


def as_hints(observed: Mapping[str, Any], root: Path) -> Hints:
    """The types that the plugin has written, by the path of each file from the project."""
    hints: Hints = {}
    for place, (given, returned) in observed.items():
        path, _, name = place.rpartition(":")
        types = {
            one: Annotation(code, frozenset(imports))
            for one, (code, imports) in {**given, "return": returned}.items()
        }
        hints.setdefault(Path(path).relative_to(root).as_posix(), {})[name] = types
    return hints


def around(text: str, line: int) -> set[str]:
    """The functions, by their qualified names, that contain a line of a module."""
    return {
        name
        for name, node in _functions(text).items()
        if node and node.lineno <= line <= (node.end_lineno or 0)
    }


def names_at(text: str, line: int) -> set[str]:
    """The names that a line of a module reads, calls or defines."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                if node.lineno <= line <= (node.end_lineno or 0):
                    found.add(name)
            # An error in an argument is reported at its line, which may be below the call's name.
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                if node.lineno <= line <= (node.end_lineno or 0):
                    found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if node.lineno == line:
                    found.add(name)
    return found


_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(text: str) -> dict[str, _Function | None]:
    """Every function by its qualified name, None where several have the same."""
    found = [*_named(ast.parse(text), "")]
    counts = Counter(name for name, _ in found)
    return {name: node if counts[name] == 1 else None for name, node in found}


def _named(parent: ast.AST, prefix: str) -> Iterator[tuple[str, _Function]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
            yield from _named(node, f"{prefix}{node.name}.<locals>.")
        elif isinstance(node, ast.ClassDef):
            yield from _named(node, f"{prefix}{node.name}.")
        else:
            yield from _named(node, prefix)


def _parameters(node: _Function) -> list[ast.arg]:
    given = node.args
    listed = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [one for one in listed if one.arg not in ("self", "cls")]


def _yields(node: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(node))


def _with_defaults(node: _Function, types: Mapping[str, Annotation]) -> dict[str, Annotation]:
    """The types of the parameters, each with that of its default."""
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    defaults = dict(zip([one.arg for one in positional][::-1], given.defaults[::-1], strict=False))
    defaults |= {
        one.arg: value
        for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if value is not None
    }
    found = dict(types)
    for name, value in defaults.items():
        if name in found and isinstance(value, ast.Constant):
            known = isinstance(value.value, _OF_CONSTANTS)
            found[name] = union([found[name], annotation(value.value if known else ...)])
    return found


def _end_of(node: _Function, name: str, text: str) -> tuple[int, int]:
    """The line, from 1, and the position in it at which a parameter ends."""
    found = next(one for one in _parameters(node) if one.arg == name)
    line = text.splitlines()[(found.end_lineno or 1) - 1]
    return found.end_lineno or 1, len(line.encode()[: found.end_col_offset].decode())


def _end_of_signature(text: str, node: _Function) -> tuple[int, int]:
    """The line, from 1, and the position in it of the colon before the body of a function."""
    lines = text.splitlines(keepends=True)[node.lineno - 1 :]
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO("".join(lines)).readline):
        if token.type != tokenize.OP:
            continue
        depth += (token.string in "([{") - (token.string in ")]}")
        if depth == 0 and token.string == ":":
            return token.start[0] + node.lineno - 1, token.start[1]
    raise ValueError(node.name)


def _with_imports(text: str, imports: set[str]) -> str:
    """The code with imports below its docstring; a linter sorts them."""
    missing = sorted(one for one in imports if one not in text.splitlines())
    if not missing:
        return text
    above = 0
    for number, node in enumerate(ast.parse(text).body):
        is_docstring = number == 0 and isinstance(node, ast.Expr)
        if not (is_docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")):
            break
        above = node.end_lineno or 0
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:above], *(f"{one}\n" for one in missing), *lines[above:]])
