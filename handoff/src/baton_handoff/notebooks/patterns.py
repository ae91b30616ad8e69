"""Patterns of code: Python in which `$name` is any expression, `'$name'` a text, `...` the rest.

`pandas.concat([$table, ...], ...)` matches `pd.concat([trips, row], axis=0)` if pandas is
imported as `pd`, and `concat([trips, row])` if the function is. A call without `...` allows no
further arguments. A name without a dot, `train_test_split(...)`, is a function of any module.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from baton_handoff.source_code.modules import SourceModule

Found = Mapping[str, ast.expr]
"""The expression for each `$name` of a pattern."""

_VARIABLE = "any_"


def is_variable(name: str) -> bool:
    """Whether a name in a pattern stands for any expression."""
    return name.startswith(_VARIABLE)


@cache
def parse_pattern(pattern: str) -> ast.stmt | ast.expr:
    """The syntax tree of a pattern."""
    (statement,) = ast.parse(pattern.replace("$", _VARIABLE)).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def imports_of(module: SourceModule) -> dict[str, str]:
    """The full name of everything that a module imports, by the name that it uses."""
    names = {}
    for node in module.nodes(ast.Import):
        for alias in node.names:
            full = alias.name if alias.asname else alias.name.partition(".")[0]
            names[alias.asname or full] = full
    for origin in module.nodes(ast.ImportFrom):
        for alias in origin.names:
            names[alias.asname or alias.name] = f"{origin.module or ''}.{alias.name}"
    return names


def full_name(node: ast.AST, imports: Mapping[str, str]) -> str | None:
    """The name of a function or a module with its package; None if it is no plain name."""
    match node:
        case ast.Name(id=name):
            return imports.get(name, name)
        case ast.Attribute(value=value, attr=name) if before := full_name(value, imports):
            return f"{before}.{name}"
    return None


def matches(
    pattern: ast.AST, node: ast.AST, imports: Mapping[str, str]
) -> dict[str, ast.expr] | None:
    """The expressions of a match, None if a node does not match."""
    found: dict[str, ast.expr] = {}
    return found if _matches(pattern, node, imports, found) else None


def _matches(  # noqa: PLR0911 - one `case` a form
    pattern: ast.AST, node: ast.AST, imports: Mapping[str, str], found: dict[str, ast.expr]
) -> bool:
    match pattern:
        case ast.Name(id=name) if name.startswith(_VARIABLE):
            known = found.setdefault(name.removeprefix(_VARIABLE), node)  # type: ignore[arg-type]
            return isinstance(node, ast.expr) and (known is node or _same(known, node))
        case ast.Name(id=name):
            return _is_named(name, node, imports)
        case ast.Constant(value=str(text)) if text.startswith(_VARIABLE):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            found[text.removeprefix(_VARIABLE)] = node  # type: ignore[assignment]
            return is_text
        case ast.Attribute() if (wanted := full_name(pattern, {})) and _VARIABLE not in wanted:
            return full_name(node, imports) == wanted
        case ast.Constant(value=value) if value is not ...:
            return isinstance(node, ast.Constant) and node.value == value
        case ast.Call():
            return isinstance(node, ast.Call) and _call_matches(pattern, node, imports, found)
    if type(pattern) is not type(node):
        return False
    return all(
        _field_matches(value, getattr(node, name), imports, found)
        for name, value in ast.iter_fields(pattern)
        if name not in ("ctx", "type_comment", "kind")
    )


def _is_named(name: str, node: ast.AST, imports: Mapping[str, str]) -> bool:
    """Whether a node is a function of a name, from whatever module it is imported."""
    full = full_name(node, imports)
    modules = {module.partition(".")[0] for module in imports.values()}
    is_function = isinstance(node, ast.Name) or (full or "").partition(".")[0] in modules
    return is_function and full is not None and full.rpartition(".")[2] == name


def _call_matches(
    pattern: ast.Call, call: ast.Call, imports: Mapping[str, str], found: dict[str, ast.expr]
) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    wanted = {keyword.arg: keyword.value for keyword in pattern.keywords}
    open_end = any(_is_rest(argument) for argument in pattern.args)
    return (
        _matches(pattern.func, call.func, imports, found)
        and _sequence_matches(pattern.args, call.args, imports, found)
        and (open_end or given.keys() == wanted.keys())
        and all(
            name in given and _matches(value, given[name], imports, found)
            for name, value in wanted.items()
        )
    )


def _field_matches(
    pattern: object, value: object, imports: Mapping[str, str], found: dict[str, ast.expr]
) -> bool:
    match pattern:
        case list():
            return isinstance(value, list) and _sequence_matches(pattern, value, imports, found)
        case ast.AST():
            return isinstance(value, ast.AST) and _matches(pattern, value, imports, found)
        case str() if pattern.startswith(_VARIABLE):  # the name of a method
            found[pattern.removeprefix(_VARIABLE)] = ast.Name(str(value), ast.Load())
            return True
    return pattern == value


def _sequence_matches(
    patterns: Sequence[ast.AST],
    nodes: Sequence[ast.AST],
    imports: Mapping[str, str],
    found: dict[str, ast.expr],
) -> bool:
    """Whether nodes match one by one; `...` stands for any number of them."""
    if not patterns:
        return not nodes
    if _is_rest(patterns[0]):
        rest = patterns[1:]
        return any(
            _sequence_matches(rest, nodes[start:], imports, found)
            for start in range(len(nodes) + 1)
        )
    return (
        bool(nodes)
        and _matches(patterns[0], nodes[0], imports, found)
        and _sequence_matches(patterns[1:], nodes[1:], imports, found)
    )


def _is_rest(node: ast.AST) -> bool:
    value = node.value if isinstance(node, ast.Expr) else node
    return isinstance(value, ast.Constant) and value.value is ...


def _same(one: ast.AST, other: ast.AST) -> bool:
    return _text(one) == _text(other)


def _text(node: ast.AST) -> str:
    # The context differs between `x = 1` and `f(x)`.
    return re.sub(r"ctx=\w+\(\)", "", ast.dump(node))


def looped_nodes(module: SourceModule) -> Iterator[ast.AST]:
    """The nodes that a loop runs again and again."""
    loops: list[ast.For | ast.While] = [*module.nodes(ast.For), *module.nodes(ast.While)]
    for loop in loops:
        for statement in loop.body:
            yield from ast.walk(statement)


def code_values(code: str) -> tuple[list[float], list[str], set[str]]:
    """The numbers and texts in code, and the names of the attributes that it uses."""
    numbers: dict[float, None] = {}
    texts: dict[str, None] = {}
    attributes = set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Constant(value=bool() | None):
                pass
            case ast.Constant(value=int() | float() as number):
                numbers[number] = None
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                numbers[-number] = None
            case ast.Constant(value=str(text)):
                texts[text] = None
            case ast.Attribute(attr=name):
                attributes.add(name)
    return [*numbers], [*texts], attributes
