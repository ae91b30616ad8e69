"""Small changes of a function, each of which a test of it should notice."""

import ast
import copy
from collections.abc import Callable, Iterator

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mod,
    ast.Mod: ast.FloorDiv,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Every mutant of a module.

    Yields:
        What is changed, with the line; the source.
    """
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        for what, change in _changes(node):
            made = copy.deepcopy(tree)
            change([*ast.walk(made)][number])
            line = getattr(node, "lineno", 0)
            yield f"{line}: {what}", ast.unparse(ast.fix_missing_locations(made))


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    for name in ("op", "ops"):
        one = getattr(node, name, None)
        one = one[0] if isinstance(one, list) else one
        if one is not None and (other := _OPERATORS.get(type(one))):
            yield f"{type(one).__name__} → {other.__name__}", _replacing(name, other())
    if isinstance(node, ast.Constant):
        match node.value:
            case bool(value):
                yield "other truth value", _setting("value", not value)
            case int(value) | float(value):
                yield f"{value} + 1", _setting("value", value + 1)
    if isinstance(node, ast.If | ast.IfExp):
        yield "negated condition", _negate
    body = getattr(node, "body", None)
    if isinstance(node, ast.FunctionDef | ast.For | ast.If) and isinstance(body, list):
        for place, statement in enumerate(body):
            if isinstance(statement, ast.Assign | ast.AugAssign) and len(body) > 1:
                yield f"without `{ast.unparse(statement)[:30]}`", _without(place)


def _replacing(name: str, value: ast.AST) -> Callable[[ast.AST], None]:
    def change(node: ast.AST) -> None:
        before = getattr(node, name)
        setattr(node, name, [value, *before[1:]] if isinstance(before, list) else value)

    return change


def _setting(name: str, value: object) -> Callable[[ast.AST], None]:
    return lambda node: setattr(node, name, value)


def _negate(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.IfExp)
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _without(place: int) -> Callable[[ast.AST], None]:
    def change(node: ast.AST) -> None:
        del node.body[place]  # type: ignore[attr-defined]

    return change
