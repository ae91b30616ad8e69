"""The assignments and calls of a scope in the order of the lines, and the split of its rows."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from baton_handoff.notebooks.patterns import full_name
from baton_handoff.source_code.scopes import Scope

SPLIT = "train_test_split"
CROSS = {"cross_val_predict", "cross_val_score", "cross_validate"}


@dataclass
class Flow:
    """The assignments and calls of one scope, in the order of the lines."""

    scope: Scope
    imports: Mapping[str, str]
    assigned: list[tuple[int, str, ast.expr]] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        for node in self.scope.nodes:
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign(target, value)
                case ast.Call():
                    self.calls.append(node)
        self.calls.sort(key=lambda call: (call.lineno, call.col_offset))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case (ast.Tuple(elts=names), ast.Tuple(elts=values)) if len(names) == len(values):
                for one, its_value in zip(names, values, strict=True):
                    self._assign(one, its_value)
            case _:
                self.assigned += [(target.lineno, name, value) for name in stored(target)]

    def name_of(self, call: ast.Call) -> str:
        """The last part of the name of a called function."""
        return (full_name(call.func, self.imports) or "").rpartition(".")[2]

    @cached_property
    def split(self) -> ast.Call | None:
        """The first call that separates the rows of training and test."""
        named = (call for call in self.calls if self.name_of(call) in {SPLIT, *CROSS})
        return next(named, None)

    @cached_property
    def all_rows(self) -> set[str]:
        """The tables with the rows of training and test together."""
        if self.split is None:
            return set()
        start = 1 if self.name_of(self.split) in CROSS else 0
        names = {name for one in self.split.args[start : start + 2] for name in loaded(one)}
        before = [one for one in self.assigned if one[0] <= self.split.lineno]
        while (
            more := {
                found
                for _, name, value in before
                if name in names and not is_split_result(value)
                for found in loaded(value)
                if found not in self.imports
            }
            - names
        ):
            names |= more
        return names

    def value_before(self, name: str, line: int) -> tuple[int, ast.expr] | None:
        """The last value of a name before a line, with its own line."""
        values = [(at, value) for at, one, value in self.assigned if one == name and at < line]
        return values[-1] if values else None


def stored(target: ast.expr) -> list[str]:
    """The names that an assignment sets."""
    return [
        node.id
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def loaded(node: ast.AST) -> set[str]:
    """The names in some code."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def mentions(node: ast.AST, name: str) -> bool:
    """Whether code contains a name."""
    return name in loaded(node)


def is_split_result(value: ast.expr) -> bool:
    """Whether a value is the result of the split."""
    match value:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name == SPLIT
    return False
