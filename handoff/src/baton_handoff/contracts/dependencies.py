"""What a check depends on, as plain data: its code, and the values and functions that it reads.

The same in every process: values are described by their content, never by an address, a path or
the order of a set. What can't be followed is named; then the whole package's files count.
"""

import ast
import copyreg
import functools
import inspect
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias
from uuid import UUID

from baton_handoff.contracts.code_syntax import (
    class_syntax,
    closure,
    defaults,
    function_syntax,
    global_names,
    names_read,
)
from baton_handoff.contracts.package_code import PackageCode, content_hash

Form: TypeAlias = dict[str, Any]

_PLAIN = (date, time, timedelta, Decimal, Fraction, UUID, complex, bytes, range)
"""Types of values whose text is all there is to them."""

_OUTSIDE = {"open", "eval", "exec", "globals", "locals", "__import__", "input", "super"}
_OUTSIDE_NAMES = re.compile(
    r"(read|scan)_\w+|environ|getenv|import_module|fromfile|loadtxt|urlopen"
)
"""Functions and attributes with which code reads what is no part of it."""

_MACHINERY = {"__module__", "__dict__", "__weakref__", "__doc__", "__annotations__", "__qualname__"}

_LONGEST = 20_000
"""Longer descriptions of a value are replaced by their hash."""


ContractForm: TypeAlias = Callable[[type, "Dependencies"], Form | None]


class Dependencies:
    """Describe functions and values of one package.

    Attributes:
        unfollowed: What was met and can't be followed, such as a module that is passed on.
    """

    def __init__(self, package: str, contract_form: "ContractForm") -> None:
        """Begin a description of the package that a module is in."""
        self.unfollowed: set[str] = set()
        self._package = PackageCode(package)
        self._contract_form = contract_form
        self._active: list[object] = []

    def checked(self, function: Callable[..., Any], owner: type | None = None) -> Form:
        """Describe the function of a check, as `function` does, with what can't be followed."""
        described = self.value(function) if owner is None else self.function(function, owner)
        form = described if isinstance(described, dict) else {"source": json.dumps(described)}
        if self.unfollowed:
            form |= {"unfollowed": sorted(self.unfollowed), "package": self._package.hash()}
            self.unfollowed = set()
        return form

    def function(self, function: Any, owner: type | None = None) -> Any:
        """Describe a function by its code and by what the code reads.

        Docstrings, annotations and layout are left out: they enforce nothing. Of the decorators
        only the result counts, which is the function itself.

        Args:
            function: The function.
            owner: The class that its first parameter is, or is an instance of.
        """
        if not isinstance(function, FunctionType):
            return self.value(function)
        if not self._package.contains(function):
            return self._library(function)
        node = function_syntax(function.__code__, function.__globals__)
        if node is None:
            self.unfollowed.add(f"the source of {function.__qualname__}")
            return _name(function)
        with self.within(function) as first:
            if not first:
                return {"recursion": function.__name__}
            space = function.__globals__
            read = {n: space[n] for n in global_names(function.__code__) if n in space}
            roots = {**read, **closure(function)}
            if owner is not None and function.__code__.co_argcount:
                roots[function.__code__.co_varnames[0]] = owner
            form = self._code(node, roots, space)
            for name, value in defaults(function):
                self._record(form, name, value)
            return _without_empty(form)

    def value(self, value: Any) -> Any:  # noqa: PLR0911 - one for each kind
        """Describe any value by its content."""
        kind = type(value).__module__
        match value:
            case float() if not math.isfinite(value):
                return str(value)
            case None | bool() | int() | float() | str() if kind == "builtins":
                return self._package.relative(value) if isinstance(value, str) else value
            case PurePath():
                return self._package.relative(str(value))
            case re.Pattern():
                return [value.pattern, value.flags]
            case list() | tuple():
                return [self.value(item) for item in value]
            case set() | frozenset():
                return sorted((self.value(item) for item in value), key=_text)
            case Mapping() if kind in ("builtins", "collections", "types"):
                return self._mapping(value)
            case Enum():
                own = any(map(inspect.isfunction, vars(type(value)).values()))
                parts = [value.name, self.value(value.value)]
                return [*parts, self.value(type(value))] if own else parts
        if isinstance(value, _PLAIN):
            return str(value)
        if kind == "numpy" and hasattr(value, "item") and not value.shape:
            return self.value(value.item())
        return self._code_value(value)

    def _code_value(self, value: Any) -> Any:  # noqa: PLR0911 - one for each kind
        """Describe a module, a class, something to call, or else an object."""
        match value:
            case ModuleType():
                if self._package.contains(value):
                    self.unfollowed.add(value.__name__.rpartition(".")[2])
                return value.__name__.rpartition(".")[2]
            case MethodType():
                owner = value.__self__ if inspect.isclass(value.__self__) else None
                described = self.function(value.__func__, owner or type(value.__self__))
                return described if owner else [described, self.value(value.__self__)]
            case FunctionType():
                return self.function(value)
            case staticmethod() | classmethod():
                return self.value(value.__func__)
            case property():
                return [self.value(part) for part in (value.fget, value.fset)]
            case functools.partial():
                return self._partial(value)
            case type():
                return self._class(value)
        if hasattr(value, "__wrapped__") and not self._package.contains(type(value)):
            return self.value(value.__wrapped__)
        if inspect.isroutine(value):
            bound = getattr(value, "__self__", None)
            library = bound is None or isinstance(bound, ModuleType)
            return _name(value) if library else [_name(value), self.value(bound)]
        return self._state(value)

    def _partial(self, partial: "functools.partial[Any]") -> Any:
        function, stated = self.value(partial.func), {}
        for number, argument in enumerate(partial.args):
            stated[str(number)] = self.value(argument)
        stated |= {name: self.value(argument) for name, argument in partial.keywords.items()}
        form = dict(function) if isinstance(function, dict) else {"source": function}
        return {**form, "constants": {**form.get("constants", {}), **stated}}

    def _mapping(self, mapping: Mapping[Any, Any]) -> Any:
        if all(type(key) is str for key in mapping):
            return {key: self.value(mapping[key]) for key in sorted(mapping)}
        return sorted(([self.value(k), self.value(v)] for k, v in mapping.items()), key=_text)

    def _state(self, value: Any) -> Any:
        """Describe an object by its class and its content, as a copy would be made of it."""
        with self.within(value) as first:
            if not first:
                return {"recursion": type(value).__name__}
            try:
                reduced = value.__reduce_ex__(2)
            except Exception:  # noqa: BLE001 - each class has its own reason
                self.unfollowed.add(f"an object of {type(value).__name__}")
                return type(value).__name__
            if isinstance(reduced, str):
                return reduced
            build, arguments, *content = reduced
            parts = [list(p) if isinstance(p, Iterator) else p for p in content if p is not None]
            made = [] if build in _NEW else [self.value(build)]
            described = [*made, *map(self.value, arguments), *map(self.value, parts)]
            text = _text(described)
            return described if len(text) <= _LONGEST else content_hash(text.encode())

    def _class(self, kind: type) -> Any:
        if not self._package.contains(kind):
            return _name(kind)
        with self.within(kind) as first:
            if not first:
                return {"recursion": kind.__name__}
            if (form := self._contract_form(kind, self)) is not None:
                return form
            module = sys.modules.get(kind.__module__)
            space = vars(module) if module else {}
            nodes = class_syntax(kind, space)
            if not nodes:  # made by `type`, or by a function
                members = {n: m for n, m in vars(kind).items() if n not in _MACHINERY}
                bases = [self.value(base) for base in kind.__bases__]
                return {"bases": bases, "members": self._mapping(members)}
            form = {}
            for node in nodes:
                names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                roots = {name: space[name] for name in names if name in space}
                part = self._code(node, roots, space)
                form = {
                    "source": f"{form.get('source', '')}{part['source']}",
                    "constants": {**form.get("constants", {}), **part["constants"]},
                    "helpers": {**form.get("helpers", {}), **part["helpers"]},
                }
            return _without_empty(form)

    def _code(self, node: ast.AST, roots: Mapping[str, Any], space: Mapping[str, Any]) -> Form:
        """Describe code, given the values of the names that it reads."""
        form: Form = {"source": ast.unparse(node), "constants": {}, "helpers": {}}
        imported = dict(self._package.imports(node, space))
        for name in sorted({name for name in imported if imported[name] is None}):
            self.unfollowed.add(f"the import of {name}")
        known = {**roots, **{n: value for n, value in imported.items() if value is not None}}
        for names in sorted(set(names_read(node))):
            if names[0] in known:
                self._read(form, known[names[0]], names)
            elif names[0] in _OUTSIDE and names[0] not in space:
                self.unfollowed.add(f"{names[0]}()")
            if any(_OUTSIDE_NAMES.fullmatch(name) for name in names[1:]):
                self.unfollowed.add(".".join(names))
        return form

    def _read(self, form: Form, value: Any, names: Sequence[str]) -> None:
        """Describe what a chain of attributes leads to: `limits.MAX` in the module `limits`."""
        path = [names[0]]
        for name in names[1:]:
            if isinstance(value, ModuleType):
                if not self._package.contains(value):
                    return
                following = getattr(value, name, None)
            elif inspect.isclass(value) and self._package.contains(value):
                following = getattr(value, name, None)
                function = getattr(following, "__func__", following)
                if inspect.isroutine(function) and not self._package.contains(function):
                    return  # a library's method of a class that derives from the library's
            elif self._package.contains(type(value)) and not inspect.isroutine(value):
                static = inspect.getattr_static(value, name, None)
                if static is None or inspect.isroutine(static) or inspect.isdatadescriptor(static):
                    break  # code of its class decides: the whole object counts
                following = getattr(value, name)
            else:
                break
            value = following
            path.append(name)
        if len(path) == 1 and any(value is thing for thing in self._active):
            # A contract that its own check passes on; a function may call itself.
            self.unfollowed |= {path[0]} if inspect.isclass(value) else set()
            return
        self._record(form, ".".join(path), value)

    def _record(self, form: Form, name: str, value: Any) -> None:
        if isinstance(value, ModuleType):
            if self._package.contains(value):
                self.unfollowed.add(name)
            return
        described = self.value(value)
        if isinstance(value, FunctionType | MethodType) and isinstance(described, dict):
            form["helpers"][name] = described
        elif not (inspect.isroutine(value) or inspect.isclass(value)) or described != _name(value):
            form["constants"][name] = described

    def _library(self, function: FunctionType) -> Any:
        """Describe a function of a library, and what it has kept of this package."""
        kept = closure(function)
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is None and not kept:
            return _name(function)
        described = self.value(wrapped)
        form: Form = {"source": "", **(described if isinstance(described, dict) else {})}
        form["constants"] = {**form.get("constants", {})}
        for name, value in sorted(kept.items()):
            if value is not wrapped:
                self._record(form | {"helpers": form.setdefault("helpers", {})}, name, value)
        return _without_empty({**form, "wrapper": _name(function)})

    @contextmanager
    def within(self, thing: object) -> Iterator[bool]:
        """Enter a thing; False if it is being described already, which ends a recursion."""
        first = not any(thing is other for other in self._active)
        self._active.append(thing)
        yield first
        self._active.pop()


_NEW = (getattr(copyreg, "__newobj__"), getattr(copyreg, "_reconstructor"))  # noqa: B009


def _name(thing: Any) -> str:
    if isinstance(thing, FunctionType):
        # Its other names may be those of a function that it wraps.
        return f"{thing.__globals__.get('__name__')}.{thing.__code__.co_qualname}"
    names = (getattr(thing, "__module__", None), getattr(thing, "__qualname__", None))
    return ".".join(filter(None, names)) or type(thing).__name__


def _without_empty(form: Form) -> Form:
    return {key: part for key, part in form.items() if part}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
