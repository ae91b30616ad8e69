"""Contracts as their classes declare them, and code reduced to what it does: read, not run."""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from baton_handoff.source_code.modules import SourceModule, parse


@dataclass(frozen=True)
class DeclaredColumn:
    """A column of a declared contract.

    Attributes:
        file: The file that declares it.
        line: The line, from 1.
        described: Whether its `Field` has a description.
        drafted: Whether its rules only warn, because nobody has confirmed them.
    """

    file: str
    line: int
    described: bool
    drafted: bool = False


@dataclass(frozen=True)
class DeclaredContract:
    """A contract as its class declares it.

    Attributes:
        name: The name of the class.
        file: The file that declares it.
        line: The line, from 1.
        metadata: The metadata in its `Config`: version, position, producer, consumer.
        columns: Its columns, including those of its base classes.
    """

    name: str
    file: str
    line: int
    metadata: Mapping[str, object]
    columns: Mapping[str, DeclaredColumn]


def normalized_code(source: str) -> str:
    """Python code as text without layout, comments, docstrings and unused imports.

    Two texts that do the same give the same result. A text that is not valid Python is returned.
    """
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return source
    # `__all__` contains names as text.
    names = (getattr(node, "id", getattr(node, "value", None)) for node in ast.walk(tree))
    used = {"*", *(name for name in names if isinstance(name, str))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [
                statement
                for statement in node.body
                if not _is_docstring(statement) and not _is_unused_import(statement, used)
            ]
    return ast.dump(tree) if tree.body else ""


def declared_contracts(modules: Iterable[SourceModule]) -> Iterator[DeclaredContract]:
    """The contracts that modules declare; a class without any column is left out.

    Args:
        modules: The modules; base classes in other modules are not followed.
    """
    classes = {
        node.name: (module.file, node)
        for module in modules
        for node in module.nodes(ast.ClassDef)
        if node.name != "Config"
    }
    bases = {
        name: [ast.unparse(base).rpartition(".")[2] for base in node.bases]
        for name, (_, node) in classes.items()
    }
    # A class without metadata or pandera's base class may be anything, an enum for example.
    for name, (file, node) in classes.items():
        metadata = _metadata(node)
        columns: dict[str, DeclaredColumn] = {}
        for ancestor in with_ancestors(name, bases):
            if ancestor in classes:
                columns = {**dict(_columns(*classes[ancestor])), **columns}
        if columns and (metadata or "DataFrameModel" in bases[name]):
            yield DeclaredContract(name, file, node.lineno, metadata, columns)


def with_ancestors(name: str, bases: Mapping[str, Sequence[str]]) -> list[str]:
    """A class and all classes that it derives from, the class first."""
    found = [name]
    for one in found:
        found += [base for base in bases.get(one, ()) if base not in found]
    return found


def _is_docstring(statement: ast.stmt) -> bool:
    """Whether a statement is a constant without effect."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_unused_import(statement: ast.stmt, used: Collection[str]) -> bool:
    """Whether a statement imports nothing that is used; its other unused names are removed."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return False
    statement.names = [
        alias for alias in statement.names if (alias.asname or alias.name).partition(".")[0] in used
    ]
    return not statement.names


def _metadata(contract: ast.ClassDef) -> dict[str, object]:
    configs = [n for n in contract.body if isinstance(n, ast.ClassDef) and n.name == "Config"]
    for node in (statement for config in configs for statement in config.body):
        match node:
            case ast.Assign(targets=[ast.Name(id="metadata")], value=ast.Dict() as metadata) | (
                ast.AnnAssign(target=ast.Name(id="metadata"), value=ast.Dict() as metadata)
            ):
                return {
                    key.value: value.value
                    if isinstance(value, ast.Constant)
                    else ast.unparse(value)
                    for key, value in zip(metadata.keys, metadata.values, strict=True)
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                }
    return {}


def _columns(file: str, contract: ast.ClassDef) -> Iterator[tuple[str, DeclaredColumn]]:
    for statement in contract.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            keywords = statement.value.keywords if isinstance(statement.value, ast.Call) else []
            described = any(keyword.arg == "description" for keyword in keywords)
            drafted = any(
                keyword.arg == "raise_warning" and getattr(keyword.value, "value", False) is True
                for keyword in keywords
            )
            yield statement.target.id, DeclaredColumn(file, statement.lineno, described, drafted)
