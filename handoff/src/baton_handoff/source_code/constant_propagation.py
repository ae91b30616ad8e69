"""What an expression is worth, as far as the code says it without being run.

A sign stands for what can't be told, and a parameter for what its function is given, to be put in
where the function is called.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from baton_handoff.source_code.modules import Scope

UNKNOWN = "\ufffd"
"""What stands in a text for what can't be told."""

_SAME = {
    *("BufferedReader", "BytesIO", "Path", "PosixPath", "PurePath", "PurePosixPath", "Request"),
    *("StringIO", "TarFile", "TextIOWrapper", "URL", "ZipFile", "abspath", "expanduser", "fspath"),
    *("fsdecode", "get", "open", "realpath", "str", "text", "urlopen"),
}
"""Functions that give what they are given, or what stands there."""

_SAME_METHODS = {
    *("absolute", "as_posix", "as_uri", "encode", "expanduser", "lower", "open", "read"),
    *("read_bytes", "read_text", "readall", "resolve", "strip"),
}
_SAME_ATTRIBUTES = {"content", "text", "raw"}
_DEEPEST = 30


@dataclass(frozen=True)
class ConstantPropagation:
    """What the names of a project's modules stand for.

    Attributes:
        modules: Every module, by what it is imported as.
    """

    modules: Mapping[str, Scope]

    def evaluate(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> str:
        """What an expression is worth."""
        text = UNKNOWN
        if depth > _DEEPEST:
            return text
        match node:
            case ast.Constant(value=str(value)):
                text = value
            case ast.Constant(value=int(value)):
                text = str(value)
            case ast.JoinedStr(values=parts):
                text = "".join(self.evaluate(part, scope, depth + 1) for part in parts)
            case ast.FormattedValue(value=value, format_spec=None):
                text = self.evaluate(value, scope, depth + 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                text = self.evaluate(left, scope, depth + 1) + self.evaluate(
                    right, scope, depth + 1
                )
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                text = self._joined([left, right], scope, depth)
            case ast.BinOp(left=left, op=ast.Mod()):
                text = re.sub(r"%[-0-9.]*[sdifr]", UNKNOWN, self.evaluate(left, scope, depth + 1))
            case ast.Name(id=name):
                text = self._name(name, scope, depth)
            case ast.Attribute(value=value, attr=name):
                text = self._attribute(value, name, scope, depth)
            case ast.Call():
                text = self._call(node, scope, depth)
        return text

    def _name(self, name: str, scope: Scope, depth: int) -> str:
        found = defining_scope(name, scope)
        if found is None:
            return UNKNOWN
        if name in found.imports:
            return self._imported(*found.imports[name], depth)
        if name not in found.values:
            return parameter(name)
        # What is assigned more than once is now this, now that.
        (value, *others) = found.values[name]
        if others:
            return UNKNOWN
        if name in found.parameters:  # `file = Path(file)`: the one in it is the parameter
            values = {other: its for other, its in found.values.items() if other != name}
            found = replace(found, values=values)
        return self.evaluate(value, found, depth + 1)

    def _imported(self, module: str, name: str, depth: int) -> str:
        scope = self.modules.get(module)
        known = scope is not None and (name in scope.values or name in scope.imports)
        return self._name(name, scope, depth + 1) if scope and known else UNKNOWN

    def _attribute(self, value: ast.expr, name: str, scope: Scope, depth: int) -> str:
        if name in _SAME_ATTRIBUTES:
            return self.evaluate(value, scope, depth + 1)
        if name == "parent":
            folder = self.evaluate(value, scope, depth + 1)
            return folder.rpartition("/")[0] if "/" in folder else UNKNOWN
        module = self._module(value, scope)
        return self._imported(module, name, depth) if module else UNKNOWN

    def _module(self, value: ast.expr, scope: Scope) -> str:
        """The module that an expression is, empty where it is none."""
        if not isinstance(value, ast.Name):
            return ""
        found = defining_scope(value.id, scope)
        if found is None or value.id not in found.imports:
            return ""
        module, name = found.imports[value.id]
        return f"{module}.{name}" if name else module

    def _call(self, call: ast.Call, scope: Scope, depth: int) -> str:
        text = None
        match call.func:
            case ast.Attribute(value=ast.Constant(value=str(pattern)), attr="format"):
                text = re.sub(r"\{[^{}]*\}", UNKNOWN, pattern)
            case ast.Name(id="join") | ast.Attribute(value=ast.Attribute(attr="path"), attr="join"):
                text = self._joined(call.args, scope, depth)
            case ast.Attribute(value=value, attr="joinpath"):
                text = self._joined([value, *call.args], scope, depth)
            case ast.Attribute(value=value, attr=name) if name in _SAME_METHODS:
                text = self.evaluate(value, scope, depth + 1)
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _SAME and call.args:
                # Only of a path there can be several parts.
                parts = call.args if name.endswith("Path") else call.args[:1]
                text = self._joined(parts, scope, depth)
        return self._returned(call, scope, depth) if text is None else text

    def _joined(self, parts: Iterable[ast.expr], scope: Scope, depth: int) -> str:
        """Parts of a path, as one."""
        first, *others = [self.evaluate(part, scope, depth + 1) for part in parts] or [UNKNOWN]
        if "://" in first:
            return "/".join([first.rstrip("/"), *others])
        return PurePosixPath(first, *others).as_posix() if others else first

    def _returned(self, call: ast.Call, scope: Scope, depth: int) -> str:
        """What a function of the project's own gives, if it does so at one place."""
        called = self.function(call, scope)
        given = [n for n in called.nodes if isinstance(n, ast.Return)] if called else []
        if called is None or len(given) != 1:
            return UNKNOWN
        return self.substitute(
            self.evaluate(given[0].value, called, depth + 1), call, called, scope, depth
        )

    def function(self, call: ast.Call, scope: Scope) -> Scope | None:
        """The function of the project's own that is called, None where it is none."""
        match call.func:
            case ast.Name(id=name):
                return self._defined(name, scope)
            case ast.Attribute(value=value, attr=name):
                module = self.modules.get(self._module(value, scope))
                return self._defined(name, module) if module else None
        return None

    def _defined(self, name: str, scope: Scope, depth: int = 0) -> Scope | None:
        at: Scope | None = scope
        while at is not None:
            if name in at.inner:
                return at.inner[name] if at.inner[name].function else None
            if name in at.imports and depth < _DEEPEST:
                module, its = at.imports[name]
                other = self.modules.get(module)
                return self._defined(its, other, depth + 1) if other else None
            at = at.within
        return None

    def substitute(
        self, text: str, call: ast.Call, called: Scope, scope: Scope, depth: int = 0
    ) -> str:
        """A text of a function's, with what a call gives for its parameters."""
        if called.function is None or not has_parameters(text):
            return text
        arguments = called.function.args
        names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
        given: dict[str, ast.expr | None] = dict(zip(names, call.args, strict=False))
        given |= {one.arg: one.value for one in call.keywords if one.arg}
        defaults = dict(zip(reversed(names), reversed(arguments.defaults), strict=False))
        defaults |= {
            one.arg: value
            for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if value
        }

        def value_of(placed: re.Match[str]) -> str:
            name = placed[1]
            value = given.get(name, defaults.get(name))
            return self.evaluate(value, scope if name in given else called, depth + 1)

        return re.sub("\0(.+?)\0", value_of, text)


def resolve_alias(call: ast.Call, scope: Scope) -> ast.Call:
    """A call by the name that the function had before it was imported, or assigned, as another."""
    function, at = call.func, scope
    for _ in range(_DEEPEST):
        if not isinstance(function, ast.Name) or (found := defining_scope(function.id, at)) is None:
            break
        if its := found.imports.get(function.id, ("", ""))[1]:
            function = ast.Name(its)
            break
        match found.values.get(function.id):
            case [ast.Name() | ast.Attribute() as value]:
                function, at = value, found
            case _:
                break
    return ast.copy_location(ast.Call(function, call.args, call.keywords), call)


def defining_scope(name: str, scope: Scope) -> Scope | None:
    """The nearest scope that knows a name, None where none does."""
    at: Scope | None = scope
    while at is not None:
        if name in at.parameters or name in at.values or name in at.imports:
            return at
        at = at.within
    return None


def parameter(name: str) -> str:
    """How a parameter stands in a text."""
    return f"\0{name}\0"


def has_parameters(text: str) -> bool:
    """Whether a text is known only where a function is called."""
    return "\0" in text
