"""What code says without being run: what it does, and the contracts that it states."""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class DeclaredColumn:
    """A column as a contract states it.

    Attributes:
        file: The file that it stands in.
        line: The line, from 1.
        described: Whether a description stands beside it.
    """

    file: str
    line: int
    described: bool


@dataclass(frozen=True)
class DeclaredContract:
    """A contract as its class states it.

    Attributes:
        name: Its name.
        file: The file that it stands in.
        line: The line, from 1.
        metadata: What its `Config` says of it: version, position, producer, consumer.
        columns: Its columns, those of the classes that it derives from as well.
    """

    name: str
    file: str
    line: int
    metadata: Mapping[str, object]
    columns: Mapping[str, DeclaredColumn]


def normalized_code(source: str) -> str:
    """What code does, as a text: without its form, its comments and what it says of itself.

    What is imported and not used is no part of it. Of a text that is no Python it is the text.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return source
    # What `__all__` hands on, it names as a text.
    names = (getattr(node, "id", getattr(node, "value", None)) for node in ast.walk(module))
    used = {"*", *(name for name in names if isinstance(name, str))}
    for node in ast.walk(module):
        if isinstance(node, _DOCUMENTED):
            said = (statement for statement in node.body if not _only_says(statement))
            node.body = [statement for statement in said if not _is_idle(statement, used)]
    return ast.dump(module) if module.body else ""


def module(source: str) -> ast.Module:
    """A module; an empty one where the text is no Python."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def declared_contracts(modules: Mapping[str, ast.Module]) -> Iterator[DeclaredContract]:
    """Every class that states a table; one without any column states nothing yet.

    Args:
        modules: The modules by their file; what derives from elsewhere has its own columns only.
    """
    classes = {
        node.name: (file, node)
        for file, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name != "Config"
    }
    family = {name: _bases(node) for name, (_, node) in classes.items()}
    for name, (file, node) in classes.items():
        metadata = _metadata(node)
        columns: dict[str, DeclaredColumn] = {}
        for one in _above(name, family):
            if one in classes:
                columns = {**dict(_columns(*classes[one])), **columns}
        if columns and (metadata or "DataFrameModel" in family[name]):
            yield DeclaredContract(name, file, node.lineno, metadata, columns)


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).rpartition(".")[2] for base in node.bases]


def _above(name: str, family: Mapping[str, Sequence[str]]) -> list[str]:
    """A class and all that it derives from, the class itself first."""
    found: list[str] = []
    waiting = [name]
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found.append(one)
            waiting += family.get(one, [])
    return found


def _only_says(statement: ast.stmt) -> bool:
    """Whether it is a text that stands for itself."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_idle(statement: ast.stmt, used: Collection[str]) -> bool:
    """Whether it imports what nobody uses; what is still used of it is all that is left there."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return False
    bound = ((one, (one.asname or one.name).partition(".")[0]) for one in statement.names)
    statement.names = [one for one, name in bound if name in used]
    return not statement.names


def _metadata(contract: ast.ClassDef) -> dict[str, object]:
    configs = [n for n in contract.body if isinstance(n, ast.ClassDef) and n.name == "Config"]
    for node in (statement for config in configs for statement in config.body):
        match node:
            case ast.Assign(targets=[ast.Name(id="metadata")], value=ast.Dict() as stated) | (
                ast.AnnAssign(target=ast.Name(id="metadata"), value=ast.Dict() as stated)
            ):
                return {
                    key.value: value.value
                    if isinstance(value, ast.Constant)
                    else ast.unparse(value)
                    for key, value in zip(stated.keys, stated.values, strict=True)
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                }
    return {}


def _columns(file: str, contract: ast.ClassDef) -> Iterator[tuple[str, DeclaredColumn]]:
    for statement in contract.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(name), value=ast.Call(keywords=stated)):
                described = any(keyword.arg == "description" for keyword in stated)
                yield name, DeclaredColumn(file, statement.lineno, described)
            case ast.AnnAssign(target=ast.Name(name)):
                yield name, DeclaredColumn(file, statement.lineno, described=False)
