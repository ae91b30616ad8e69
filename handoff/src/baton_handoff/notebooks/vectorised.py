"""The vectorised form of code that runs once for each row or value, where it can be derived."""

import ast
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

_TEXT_METHODS = {
    *("capitalize", "endswith", "lower", "lstrip", "replace", "rstrip", "startswith", "strip"),
    *("title", "upper", "zfill"),
}
_DATE_PARTS = {"day", "dayofweek", "hour", "minute", "month", "quarter", "year"}
_CASTS = {"bool", "float", "int", "str"}
_EXTREMES = {"max": "maximum", "min": "minimum"}
_BOOLEAN = (ast.Compare, ast.BoolOp)


class NotDerivableError(Exception):
    """The code does something for which no vectorised form is known."""


Column = Callable[[str], ast.expr]
"""Makes the expression for a whole column of its name."""


def of_rows(function: ast.Lambda | ast.FunctionDef, table: ast.expr) -> str | None:
    """The vectorised form of a function that is applied to each row of a table.

    Args:
        function: The function; its only parameter is the row.
        table: The table.

    Returns:
        Python code, None if it can't be derived.
    """
    row = _only_parameter(function)
    body = _returned(function)
    if row is None or body is None:
        return None
    derive = _Derivation({row: None}, lambda name: _column(table, name))
    return derive.text(body)


def of_values(function: ast.Lambda | ast.FunctionDef, values: ast.expr) -> str | None:
    """The vectorised form of a function that is applied to each value of a column."""
    value = _only_parameter(function)
    body = _returned(function)
    if value is None or body is None:
        return None
    return _Derivation({value: values}, None).text(body)


def of_loop(loop: ast.For, table: ast.expr) -> str | None:
    """The vectorised form of a loop over rows that sets a column or fills a list."""
    row = _row_of(loop.target)
    if row is None or len(loop.body) != 1:
        return None
    derive = _Derivation({row: None}, lambda name: _column(table, name))
    match loop.body[0]:
        case ast.Assign(
            targets=[
                ast.Subscript(
                    value=ast.Attribute(attr="loc" | "at"),
                    slice=ast.Tuple(elts=[_, ast.Constant(value=str(column))]),
                )
            ],
            value=value,
        ):
            text = derive.text(value)
            return f"{ast.unparse(_column(table, column))} = {text}" if text else None
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value])
        ):
            text = derive.text(value)
            return f"{name} = {text}" if text else None
    return None


def _only_parameter(function: ast.Lambda | ast.FunctionDef) -> str | None:
    arguments = function.args
    one = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return one[0].arg if len(one) == 1 and not arguments.vararg else None


def _row_of(target: ast.expr) -> str | None:
    match target:
        case ast.Name(id=name) | ast.Tuple(elts=[_, ast.Name(id=name)]):
            return name
    return None


def _returned(function: ast.Lambda | ast.FunctionDef) -> ast.expr | None:
    """What a function returns, as one expression; None if it does more than return."""
    if isinstance(function, ast.Lambda):
        return function.body
    statements = function.body
    if isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant):
        statements = statements[1:]  # its docstring
    return _as_expression(statements)


def _as_expression(statements: Sequence[ast.stmt]) -> ast.expr | None:
    """`if a: return x` and `return y` as `x if a else y`."""
    match statements:
        case [ast.Return(value=ast.expr() as value), *_]:
            return value
        case [ast.If(test=test, body=body, orelse=orelse), *rest]:
            chosen, other = _as_expression([*body, *rest]), _as_expression([*orelse, *rest])
            return ast.IfExp(test, chosen, other) if chosen and other else None
    return None


def _column(table: ast.expr, name: str) -> ast.expr:
    return ast.Subscript(deepcopy(table), ast.Constant(name), ast.Load())


def _method(value: ast.expr, path: str, *arguments: ast.expr) -> ast.expr:
    for part in path.split("."):
        value = ast.Attribute(value, part, ast.Load())
    return ast.Call(value, [*arguments], [])


def _numpy(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(
        ast.Attribute(ast.Name("np", ast.Load()), function, ast.Load()), [*arguments], []
    )


class _Derivation:
    """Derives the expression for whole columns from one for a row or a value.

    Args:
        given: The parameter, with the column that it stands for; None if it stands for a row.
        column: Makes the expression for a column of the table; None if there is no row.
    """

    def __init__(self, given: Mapping[str, ast.expr | None], column: Column | None) -> None:
        self._given = given
        self._column = column

    def text(self, expression: ast.expr) -> str | None:
        """The vectorised form as code; None if it can't be derived."""
        try:
            if not self._varies(expression):
                return None
            return ast.unparse(ast.fix_missing_locations(self._derive(expression)))
        except NotDerivableError:
            return None

    def _varies(self, node: ast.AST) -> bool:
        """Whether an expression depends on the row or the value."""
        return any(isinstance(one, ast.Name) and one.id in self._given for one in ast.walk(node))

    def _derive(self, node: ast.expr) -> ast.expr:  # noqa: PLR0911 - one `case` a form
        if not self._varies(node):
            return node
        if column := self._column_of(node):
            return column
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                return ast.BinOp(self._derive(left), op, self._derive(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ast.UnaryOp(ast.Invert(), self._condition(operand))
            case ast.UnaryOp(op=op, operand=operand):
                return ast.UnaryOp(op, self._derive(operand))
            case ast.BoolOp() | ast.Compare():
                return self._condition(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._choice(test, body, orelse)
            case ast.Call(func=function, args=arguments, keywords=[]):
                return self._call(function, arguments)
            case ast.Attribute(value=value, attr=part) if part in _DATE_PARTS:
                return ast.Attribute(
                    ast.Attribute(self._derive(value), "dt", ast.Load()), part, ast.Load()
                )
            case ast.Subscript(value=mapping, slice=key) if not self._varies(mapping):
                return _method(self._derive(key), "map", mapping)
        raise NotDerivableError

    def _column_of(self, node: ast.expr) -> ast.expr | None:
        """The whole column of `row["a"]`, `row.a`, `row.get("a")` or of the value itself."""
        match node:
            case ast.Name(id=name) if column := self._given.get(name):
                return column
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))):
                pass
            case ast.Attribute(value=ast.Name(id=name), attr=key):
                pass
            case _:
                return None
        is_row = name in self._given and self._given[name] is None
        return self._column(key) if is_row and self._column else None

    def _condition(self, node: ast.expr) -> ast.expr:
        """A condition for each row; `&` and `|` bind more tightly than comparisons."""
        match node:
            case ast.BoolOp(op=op, values=values):
                joined = self._condition(values[0])
                sign = ast.BitAnd() if isinstance(op, ast.And) else ast.BitOr()
                for value in values[1:]:
                    joined = ast.BinOp(joined, sign, self._condition(value))
                return joined
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._comparison(left, op, right)
            case ast.Compare(left=left, ops=[first, second], comparators=[middle, right]):
                return ast.BinOp(
                    self._comparison(left, first, middle),
                    ast.BitAnd(),
                    self._comparison(middle, second, right),
                )
            case ast.UnaryOp(op=ast.Not()) | ast.Call():
                return self._derive(node)
        raise NotDerivableError  # a value that only counts as true

    def _comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.expr:
        match op:
            case ast.In() | ast.NotIn():
                if self._varies(right):
                    raise NotDerivableError
                found = _method(self._derive(left), "isin", right)
                return found if isinstance(op, ast.In) else ast.UnaryOp(ast.Invert(), found)
            case ast.Is() | ast.IsNot():
                if not (isinstance(right, ast.Constant) and right.value is None):
                    raise NotDerivableError
                return _method(self._derive(left), "isna" if isinstance(op, ast.Is) else "notna")
        return ast.Compare(self._derive(left), [op], [self._derive(right)])

    def _choice(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> ast.expr:
        match body, orelse:
            case ast.Constant(value=1), ast.Constant(value=0):
                return _method(self._condition(test), "astype", ast.Name("int", ast.Load()))
        return _numpy("where", self._condition(test), self._derive(body), self._derive(orelse))

    def _call(self, function: ast.expr, arguments: Sequence[ast.expr]) -> ast.expr:  # noqa: PLR0911, PLR0912 - one `case` a form
        derived = [self._derive(argument) for argument in arguments]
        match function:
            case ast.Name(id=name) if name in _CASTS and len(derived) == 1:
                return _method(derived[0], "astype", ast.Name(name, ast.Load()))
            case ast.Name(id="len") if len(derived) == 1:
                return _method(derived[0], "str.len")
            case ast.Name(id="abs") if len(derived) == 1:
                return ast.Call(function, derived, [])
            case ast.Name(id="round") if len(derived) in (1, 2):
                return _method(derived[0], "round", *derived[1:])
            case ast.Name(id=name) if name in _EXTREMES and len(derived) == 2:
                return _numpy(_EXTREMES[name], *derived)
            case ast.Attribute(value=ast.Name(id="math"), attr=name):
                return _numpy(name, *derived)
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name) if name != "isnan":
                return _numpy(name, *derived)
            case ast.Attribute(attr="isnan" | "isna" | "isnull" | "notna" | "notnull" as name):
                if len(derived) == 1:
                    return _method(derived[0], name.replace("isnan", "isna").replace("null", "na"))
            case ast.Attribute(value=value, attr=name) if self._varies(value):
                if name in _TEXT_METHODS and not any(map(self._varies, arguments)):
                    return _method(self._derive(value), f"str.{name}", *arguments)
                if name in ("date", "weekday") and not arguments:
                    path = {"date": "date", "weekday": "weekday"}[name]
                    dates = ast.Attribute(self._derive(value), "dt", ast.Load())
                    return ast.Attribute(dates, path, ast.Load())
            case ast.Attribute(value=mapping, attr="get") if len(derived) == 1:
                return _method(derived[0], "map", mapping)
            case ast.Attribute(value=mapping, attr="get") if len(derived) == 2:
                return _method(_method(derived[0], "map", mapping), "fillna", arguments[1])
        raise NotDerivableError
