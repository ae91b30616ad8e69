"""Tests that a change deletes or switches off."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from baton_handoff.source_code.modules import parse
from baton_handoff.source_code.static_contracts import normalized_code

_OFF = {"skip", "skipif", "xfail"}
"""Marks and functions of pytest with which a test fails no more."""


@dataclass(frozen=True)
class DeclaredTest:
    """A test of a file.

    Attributes:
        file: The file, relative to the project.
        name: Its name, with that of its class.
        line: The line, from 1.
        code: What it does, without layout, comments and its name.
        uses: The names and texts in it.
        off: Whether it is skipped, or expected to fail.
    """

    file: str
    name: str
    line: int
    code: str
    uses: frozenset[str]
    off: bool

    @property
    def identifier(self) -> str:
        """Its name as pytest writes it."""
        return f"{self.file}::{self.name}"


def deleted_tests(
    before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[DeclaredTest, bool]]:
    """The tests that ran before a change and do not run after it.

    A test that has moved to another file, or has another name and the same code, is not deleted.

    Args:
        before: The texts of the changed files under `tests/`, by their paths.
        after: The same with the change.

    Yields:
        Each test, and whether it is still there, but skipped or expected to fail.
    """
    later = [test for path, text in after.items() for test in declared_tests(path, text)]
    running = [test for test in later if not test.off]
    names = {test.name for test in running}
    codes = {test.code for test in running}
    off = {test.name: test for test in later if test.off}
    for path, text in before.items():
        # Nothing is known of the tests of a file that can't be parsed.
        if after.get(path) and _parsed(after[path]) is None:
            continue
        for test in declared_tests(path, text):
            if not test.off and test.name not in names and test.code not in codes:
                now = off.get(test.name)
                yield (replace(test, file=now.file, line=now.line), True) if now else (test, False)


def declared_tests(path: str, text: str) -> Iterator[DeclaredTest]:
    """The tests of a file, as pytest finds them by their names."""
    name = PurePosixPath(path).name
    is_test = name.startswith("test_") or name.endswith("_test.py")
    module = _parsed(text) if is_test and name.endswith(".py") else None
    if module is None:
        return
    classes = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    off = any(_is_off(node) for node in module.body if not isinstance(node, classes))
    yield from _tests_in(module.body, path, "", off=off)


def _tests_in(
    statements: list[ast.stmt], path: str, prefix: str, *, off: bool
) -> Iterator[DeclaredTest]:
    for node in statements:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            inner = f"{prefix}{node.name}::"
            yield from _tests_in(node.body, path, inner, off=off or _is_off(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test"
        ):
            # The body without its name; a docstring does nothing.
            code = normalized_code(ast.unparse(ast.Module(node.body, [])))
            name, is_off = prefix + node.name, off or _is_off(node)
            yield DeclaredTest(path, name, node.lineno, code, _uses(node), is_off)


def brings_tests(before: str, after: str) -> bool:
    """Whether a text of a test file contains something that the earlier one does not.

    What only disappears, and a test that is switched off, brings nothing.
    """
    old, new = _parsed(before), _parsed(after)
    if old is None or new is None:
        return True
    known = {normalized_code(ast.unparse(statement)) for statement in _statements(old.body)}
    return any(
        normalized_code(ast.unparse(statement)) not in {"", *known}
        for statement in _statements(new.body)
        if not _is_off(statement)
    )


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, and of its classes instead of the classes themselves."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _statements(statement.body)
        else:
            yield statement


def _is_off(node: ast.stmt) -> bool:
    """Whether a statement is a test or a class that is skipped, or says so of all others."""
    if isinstance(node, ast.ClassDef):
        marks: list[ast.AST] = [s for s in node.body if _assigns(s, "pytestmark")]
        return any(_uses(mark) & _OFF for mark in [*node.decorator_list, *marks])
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        first = ast.unparse(node.body[0]).startswith(("pytest.skip(", "pytest.xfail("))
        return first or any(_uses(mark) & _OFF for mark in node.decorator_list)
    skips = isinstance(node, ast.Expr) and _uses(node) & {"skip", "importorskip"}
    return bool(skips or (_assigns(node, "pytestmark") and _uses(node) & _OFF))


def _parsed(text: str) -> ast.Module | None:
    try:
        return parse(text)
    except (SyntaxError, ValueError):
        return None


def _assigns(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == name for target in node.targets
    )


def _uses(node: ast.AST) -> frozenset[str]:
    """The names, attributes, arguments and texts in a part of the code."""
    found = set()
    for child in ast.walk(node):
        for field in ("id", "attr", "arg", "value"):
            if isinstance(value := getattr(child, field, None), str):
                found.add(value)
    return frozenset(found)
