"""The contracts as their code states them, read without running it."""

import ast
from collections.abc import Iterator
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
    """Every class in contracts/ that states a table, or says whose it is."""
    for file, tree in look.code("contracts").items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                metadata = _metadata(node)
                bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
                if metadata or "DataFrameModel" in bases:
                    yield Stated(node.name, file, node.lineno, metadata)


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
