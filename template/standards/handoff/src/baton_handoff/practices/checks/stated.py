"""The contracts as their code states them, read without running it."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from baton_handoff.practices.checks.look import Look


@dataclass(frozen=True)
class Stated:
    """A contract as its code states it."""

    name: str
    file: str
    line: int
    metadata: dict[str, object]


def contracts_in(look: Look) -> Iterator[Stated]:
    """Every class in contracts/ that states a table; one without any column states nothing yet."""
    code = look.code("contracts")
    classes = {
        node.name: (file, node)
        for file, tree in code.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name != "Config"
    }
    family = {name: _bases(node) for name, (_, node) in classes.items()}
    for name, (file, node) in classes.items():
        above = _above(name, family)
        metadata = _metadata(node)
        nodes = [classes[one][1] for one in above if one in classes]
        columns = any(isinstance(one, ast.AnnAssign) for n in nodes for one in n.body)
        if columns and (metadata or "DataFrameModel" in family[name]):
            yield Stated(name, file, node.lineno, metadata)


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).rpartition(".")[2] for base in node.bases]


def _above(name: str, family: Mapping[str, Sequence[str]]) -> set[str]:
    """A class and all that it derives from."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += family.get(one, [])
    return found


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
