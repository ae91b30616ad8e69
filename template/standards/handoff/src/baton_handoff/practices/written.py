"""What code says without being run: what it does, and which columns its contracts state."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Column:
    """A column as a contract states it.

    Attributes:
        line: The line, from 1.
        described: Whether a description stands beside it.
    """

    line: int
    described: bool


@dataclass(frozen=True)
class Stated:
    """A contract as its class states it.

    Attributes:
        position: Where it stands: `input`, `internal`, `output` or `source`.
        producer: Who supplies what meets it, empty where the class does not say so.
        columns: The columns that it adds to those of the contracts it derives from.
    """

    position: str
    producer: str
    columns: Mapping[str, Column]


def behaviour(source: str) -> str:
    """What code does, as a text: without its form, its comments and what it says of itself.

    Of a text that is no Python it is the text.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return source
    for node in ast.walk(module):
        if isinstance(node, _DOCUMENTED):
            node.body = [statement for statement in node.body if not _only_says(statement)]
    return ast.dump(module) if module.body else ""


def contracts_in(source: str) -> dict[str, Stated]:
    """The contracts of a module that state their position, by name; none if it is no Python."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    found = {}
    for node in classes:
        metadata = _metadata(node)
        if "position" in metadata:
            found[node.name] = Stated(
                metadata["position"], metadata.get("producer", ""), dict(_columns(node))
            )
    return found


def _only_says(statement: ast.stmt) -> bool:
    """Whether it is a text that stands for itself."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _metadata(contract: ast.ClassDef) -> dict[str, str]:
    """The texts in its `Config.metadata`."""
    configs = [node for node in contract.body if isinstance(node, ast.ClassDef)]
    said: dict[str, str] = {}
    for statement in (statement for config in configs for statement in config.body):
        match statement:
            case ast.Assign(targets=[ast.Name("metadata")], value=ast.Dict(keys, values)):
                for key, value in zip(keys, values, strict=True):
                    match key, value:
                        case ast.Constant(str(name)), ast.Constant(str(text)):
                            said[name] = text
    return said


def _columns(contract: ast.ClassDef) -> Iterator[tuple[str, Column]]:
    for statement in contract.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(name), value=ast.Call(keywords=stated)):
                described = any(keyword.arg == "description" for keyword in stated)
                yield name, Column(statement.lineno, described)
            case ast.AnnAssign(target=ast.Name(name)):
                yield name, Column(statement.lineno, described=False)
