"""Constant propagation: the text that an expression evaluates to, as far as the code tells it.

`UNKNOWN` replaces a part that is known only at run time. A parameter of the enclosing function
stays in the text under its name, until `substitute` replaces it by the argument of a call.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath

from baton_handoff.source_code.scopes import Scope

UNKNOWN = "\ufffd"
"""Replaces a part of a text that is known only at run time."""

_IDENTITY_FUNCTIONS = {
    *("BufferedReader", "BytesIO", "Path", "PosixPath", "PurePath", "PurePosixPath", "Request"),
    *("StringIO", "TarFile", "TextIOWrapper", "URL", "ZipFile", "abspath", "expanduser", "fspath"),
    *("fsdecode", "get", "open", "realpath", "str", "text", "urlopen"),
}
"""Functions whose result has the same location as their argument: the path or what it contains."""

_IDENTITY_METHODS = {
    *("absolute", "as_posix", "as_uri", "encode", "expanduser", "lower", "open", "read"),
    *("read_bytes", "read_text", "readall", "resolve", "strip"),
}
_IDENTITY_ATTRIBUTES = {"content", "text", "raw"}
# Limits the recursion: constants and functions of a project may refer to themselves.
_DEEPEST = 30


@dataclass(frozen=True)
class ConstantPropagation:
    """Evaluates expressions across the modules of a project.

    Attributes:
        modules: The scope of each module, by the name it is imported by.
    """

    modules: Mapping[str, Scope]

    def evaluate(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> str:
        """The text that an expression in a scope evaluates to."""
        text = UNKNOWN
        if depth > _DEEPEST:
            return text
        value_of = partial(self.evaluate, scope=scope, depth=depth + 1)
        match node:
            case ast.Constant(value=str() | int() as value):
                text = str(value)
            case ast.JoinedStr(values=parts):
                text = "".join(map(value_of, parts))
            case ast.FormattedValue(value=value, format_spec=None):
                text = value_of(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                text = value_of(left) + value_of(right)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                text = _join(map(value_of, [left, right]))
            # The values of a format are rarely constants, so they are not evaluated.
            case ast.BinOp(left=left, op=ast.Mod()):
                text = re.sub(r"%[-0-9.]*[sdifr]", UNKNOWN, value_of(left))
            case ast.Name(id=name):
                text = self._name(name, scope, depth)
            case ast.Attribute(value=value, attr=name) if name in _IDENTITY_ATTRIBUTES:
                text = value_of(value)
            case ast.Attribute(value=value, attr="parent"):
                text = value_of(value).rpartition("/")[0] or UNKNOWN
            case ast.Attribute(value=value, attr=name) if module := _imported_module(value, scope):
                text = self._imported(module, name, depth)
            case ast.Call():
                text = self._call(node, scope, depth)
        return text

    def _name(self, name: str, scope: Scope, depth: int) -> str:
        found = scope.lookup(name)
        if found is None:
            return UNKNOWN
        if name in found.imports:
            return self._imported(*found.imports[name], depth)
        is_parameter = any(one.arg == name for one in found.parameters)
        match found.values.get(name):
            case None:
                return parameter(name) if is_parameter else UNKNOWN
            case [value]:
                if is_parameter:  # `file = Path(file)`: the name in the value is the parameter
                    others = {key: of for key, of in found.values.items() if key != name}
                    found = replace(found, values=others)
                return self.evaluate(value, found, depth + 1)
        return UNKNOWN  # assigned more than once: which value counts depends on the run

    def _imported(self, module: str, name: str, depth: int) -> str:
        scope = self.modules.get(module)
        known = scope is not None and (name in scope.values or name in scope.imports)
        return self._name(name, scope, depth + 1) if scope and known else UNKNOWN

    def _call(self, call: ast.Call, scope: Scope, depth: int) -> str:
        value_of = partial(self.evaluate, scope=scope, depth=depth + 1)
        match call.func:
            case ast.Attribute(value=ast.Constant(value=str(pattern)), attr="format"):
                text = re.sub(r"\{[^{}]*\}", UNKNOWN, pattern)
            case ast.Name(id="join") | ast.Attribute(value=ast.Attribute(attr="path"), attr="join"):
                text = _join(map(value_of, call.args))
            case ast.Attribute(value=value, attr="joinpath"):
                text = _join(map(value_of, [value, *call.args]))
            case ast.Attribute(value=value, attr=name) if name in _IDENTITY_METHODS:
                text = value_of(value)
            case ast.Name(id=name) | ast.Attribute(attr=name) if (
                name in _IDENTITY_FUNCTIONS and call.args
            ):
                # Only a path is made of several arguments.
                text = _join(map(value_of, call.args if name.endswith("Path") else call.args[:1]))
                # `get` of a dict has a key; a text in `StringIO` is the data itself.
                if name == "get" and "://" not in text:
                    text = UNKNOWN
            case _:
                text = self._returned(call, scope, depth)
        return text

    def _returned(self, call: ast.Call, scope: Scope, depth: int) -> str:
        """The result of a function of the project that has one return statement."""
        called = self.function(call, scope)
        returns = [n for n in called.nodes if isinstance(n, ast.Return)] if called else []
        if called is None or len(returns) != 1:
            return UNKNOWN
        text = self.evaluate(returns[0].value, called, depth + 1)
        return self.substitute(text, call, called, scope, depth)

    def function(self, call: ast.Call, scope: Scope) -> Scope | None:
        """The function of the project that a call runs, None if it is not one of them."""
        match call.func:
            case ast.Name(id=name):
                return self._function(name, scope)
            case ast.Attribute(value=value, attr=name):
                module = self.modules.get(_imported_module(value, scope))
                return self._function(name, module) if module else None
        return None

    def _function(self, name: str, scope: Scope, depth: int = 0) -> Scope | None:
        for at in scope.enclosing:
            if found := at.child(name):
                return found if found.function else None
            if name in at.imports and depth < _DEEPEST:
                module, original = at.imports[name]
                other = self.modules.get(module)
                return self._function(original, other, depth + 1) if other else None
        return None

    def substitute(
        self, text: str, call: ast.Call, called: Scope, scope: Scope, depth: int = 0
    ) -> str:
        """Replace the parameters in a text of a function by the arguments of a call.

        Args:
            text: A text as `evaluate` gives it for the function.
            call: The call.
            called: The function.
            scope: The scope with the call in it.
            depth: How many evaluations led here.
        """
        if called.function is None or not has_parameters(text):
            return text
        arguments = called.function.args
        names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
        given = dict(zip(names, call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        defaults = dict(zip(reversed(names), reversed(arguments.defaults), strict=False))
        pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        defaults |= {one.arg: value for one, value in pairs if value}

        def value_of(match: re.Match[str]) -> str:
            name = match[1]
            value = given.get(name, defaults.get(name))
            return self.evaluate(value, scope if name in given else called, depth + 1)

        return re.sub("\0(.+?)\0", value_of, text)


def resolve_alias(call: ast.Call, scope: Scope) -> ast.Call:
    """A call under the name that its function had before an import or assignment renamed it."""
    function, at = call.func, scope
    for _ in range(_DEEPEST):
        if not isinstance(function, ast.Name) or (found := at.lookup(function.id)) is None:
            break
        if original := found.imports.get(function.id, ("", ""))[1]:
            function = ast.Name(original)
            break
        match found.values.get(function.id):
            case [ast.Name() | ast.Attribute() as value]:
                function, at = value, found
            case _:
                break
    return ast.copy_location(ast.Call(function, call.args, call.keywords), call)


def parameter(name: str) -> str:
    """The form that a parameter has in a text."""
    return f"\0{name}\0"


def has_parameters(text: str) -> bool:
    """Whether a text depends on the arguments of a call."""
    return "\0" in text


def _join(texts: Iterable[str]) -> str:
    """Join the parts of a path or an address."""
    first, *others = list(texts) or [UNKNOWN]
    if "://" in first:
        return "/".join([first.rstrip("/"), *others])
    return PurePosixPath(first, *others).as_posix() if others else first


def _imported_module(node: ast.expr, scope: Scope) -> str:
    """The module that a name refers to, empty if it is not a module."""
    if not isinstance(node, ast.Name):
        return ""
    found = scope.lookup(node.id)
    if found is None or node.id not in found.imports:
        return ""
    module, name = found.imports[node.id]
    return f"{module}.{name}" if name else module
