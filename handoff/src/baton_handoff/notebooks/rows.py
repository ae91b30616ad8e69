"""Code that runs once for each row or value of a table."""

import ast
from collections.abc import Iterator

from baton_handoff.notebooks import vectorised
from baton_handoff.notebooks.rules import Code, Match, shown
from baton_handoff.source_code.modules import SourceModule

_ROWS = {"iterrows", "itertuples", "iter_rows"}
_VALUES = {"map", "apply", "map_elements", "applymap", "transform"}
_BY_POSITION = {"at", "iat", "iloc", "loc"}
_GROUPS = {"groupby", "group_by", "resample", "rolling", "expanding"}


def row_functions(code: Code) -> Iterator[Match]:
    """Functions that are applied to each row of a table."""
    module = code.module
    functions = _functions(module)
    targets = _targets(module)
    for call in module.nodes(ast.Call):
        match call.func:
            case ast.Attribute(value=table, attr="apply") if _by_row(call) and call.args:
                function = functions.get(_name(call.args[0]), call.args[0])
                form = None
                if isinstance(function, ast.Lambda | ast.FunctionDef) and not call.args[2:]:
                    form = vectorised.of_rows(function, table)
                target = targets.get(id(call), "")
                yield Match(
                    call.lineno,
                    {"table": shown(table), "function": _described(call.args[0])},
                    f"{target}{form}" if form else "",
                )


def row_loops(code: Code) -> Iterator[Match]:
    """Loops over the rows of a table."""
    module = code.module
    for loop in module.nodes(ast.For):
        match loop.iter:
            case ast.Call(func=ast.Attribute(value=table, attr=name)) if name in _ROWS:
                form = vectorised.of_loop(loop, table) or ""
                words = {"table": shown(table), "loop": f"{shown(table)}.{name}()"}
                yield Match(loop.lineno, words, form)
            case ast.Call(
                func=ast.Name(id="range"),
                args=[*_, ast.Call(func=ast.Name(id="len"), args=[ast.Name() as table])],
            ) if _by_position(loop, table.id):
                words = {"table": table.id, "loop": shown(loop.iter)}
                yield Match(loop.lineno, words)


def value_functions(code: Code) -> Iterator[Match]:
    """Functions that are applied to each value of a column."""
    module = code.module
    functions = _functions(module)
    targets = _targets(module)
    for call in module.nodes(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(value=values, attr=name), args=[given, *_]) if (
                name in _VALUES and _is_column(values) and not _by_row(call)
            ):
                function = functions.get(_name(given), given)
                if not isinstance(function, ast.Lambda | ast.FunctionDef):
                    continue
                form = vectorised.of_values(function, values) if len(call.args) == 1 else None
                yield Match(
                    call.lineno,
                    {"values": shown(values), "function": _described(given), "method": name},
                    f"{targets.get(id(call), '')}{form}" if form else "",
                )


def _functions(module: SourceModule) -> dict[str, ast.expr | ast.FunctionDef]:
    """The functions of a module by name, also lambdas with a name."""
    found: dict[str, ast.expr | ast.FunctionDef] = {
        node.name: node for node in module.nodes(ast.FunctionDef)
    }
    for assign in module.nodes(ast.Assign):
        if isinstance(assign.value, ast.Lambda) and isinstance(assign.targets[0], ast.Name):
            found[assign.targets[0].id] = assign.value
    return found


def _targets(module: SourceModule) -> dict[int, str]:
    """The beginning of an assignment, `trips["a"] = `, by its value."""
    return {
        id(node.value): f"{ast.unparse(node.targets[0])} = "
        for node in module.nodes(ast.Assign)
        if len(node.targets) == 1
    }


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _described(function: ast.expr) -> str:
    return "a lambda" if isinstance(function, ast.Lambda) else f"`{shown(function, 30)}`"


def _by_row(call: ast.Call) -> bool:
    axis = [keyword.value for keyword in call.keywords if keyword.arg == "axis"] or call.args[1:2]
    return any(isinstance(one, ast.Constant) and one.value in (1, "columns") for one in axis)


def _is_column(values: ast.expr) -> bool:
    """Whether an expression is a column: `t["a"]`, `t.a`, or a method of one of them."""
    match values:
        case ast.Subscript(slice=ast.Constant(value=str())):
            return not _has_groups(values)
        case ast.Attribute(value=ast.Name(id=name)):
            return name not in ("self", "np", "pd", "pl")
        case ast.Call(func=ast.Attribute(value=inner)) | ast.Attribute(value=inner):
            return _is_column(inner) and not _has_groups(values)
    return False


def _has_groups(values: ast.expr) -> bool:
    return any(isinstance(one, ast.Attribute) and one.attr in _GROUPS for one in ast.walk(values))


def _by_position(loop: ast.For, table: str) -> bool:
    """Whether a loop reads or writes the rows of a table by the number of the row."""
    counter = _name(loop.target)
    for node in (node for statement in loop.body for node in ast.walk(statement)):
        match node:
            case ast.Subscript(value=value, slice=index):
                root = value
                while isinstance(root, ast.Attribute | ast.Subscript):
                    root = root.value
                names = {one.id for one in ast.walk(index) if isinstance(one, ast.Name)}
                if _name(root) == table and counter in names and value is not root:
                    return True
    return False
