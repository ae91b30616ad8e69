"""The names of a module, its classes and its functions: assigned, imported, annotated."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from baton_handoff.source_code.modules import Function, SourceModule

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass
class Scope:
    """The names of a module, a class or a function.

    Attributes:
        module: The module that contains it.
        body: Its statements.
        parent: The enclosing scope, None for a module.
        definition: The function or the class, None for a module.
        values: The values assigned to each name; None means that it is unknown.
        annotations: The annotations of each name.
        imports: For each imported name the module and the name in it; empty for a whole module.
        children: The scopes of the functions and classes defined in it.
    """

    module: SourceModule
    body: list[ast.stmt]
    parent: "Scope | None" = None
    definition: Function | ast.ClassDef | None = None
    values: dict[str, list[ast.expr | None]] = field(default_factory=dict)
    annotations: dict[str, list[ast.expr]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    children: "list[Scope]" = field(default_factory=list)

    @property
    def function(self) -> Function | None:
        """The function, None for a module and a class."""
        return None if isinstance(self.definition, ast.ClassDef) else self.definition

    @cached_property
    def parameters(self) -> list[ast.arg]:
        """The parameters of the function, without `*args` and `**kwargs`."""
        if self.function is None:
            return []
        arguments = self.function.args
        return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """The nodes in its statements, without those of the functions and classes in it."""
        found: list[ast.AST] = []
        waiting: list[ast.AST] = list(reversed(self.body))
        while waiting:
            node = waiting.pop()
            found.append(node)
            if not isinstance(node, _DEFINITIONS):
                waiting += reversed(list(ast.iter_child_nodes(node)))
        return found

    @property
    def enclosing(self) -> "Iterator[Scope]":
        """The scope and all that enclose it, the module last."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def walk(self) -> "Iterator[Scope]":
        """The scope and all that it encloses."""
        yield self
        for child in self.children:
            yield from child.walk()

    def defines(self, name: str) -> bool:
        """Whether a name is assigned, imported, annotated or a parameter here."""
        return (
            name in self.values
            or name in self.imports
            or name in self.annotations
            or (any(parameter.arg == name for parameter in self.parameters))
        )

    def lookup(self, name: str) -> "Scope | None":
        """The nearest enclosing scope that defines a name."""
        return next((scope for scope in self.enclosing if scope.defines(name)), None)

    def child(self, name: str) -> "Scope | None":
        """The function or class defined here under a name, the last one if there are several."""
        # Python binds the name to the last definition.
        named = [c for c in self.children if c.definition and c.definition.name == name]
        return named[-1] if named else None


def scope_of(module: SourceModule) -> Scope:
    """The scope of a module, with all scopes in it."""
    scope = Scope(module, module.tree.body)
    _collect(scope)
    return scope


def _collect(scope: Scope) -> None:
    for parameter in scope.parameters:
        _annotate(scope, ast.Name(parameter.arg), parameter.annotation)
    for node in scope.nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                child = Scope(scope.module, node.body, scope, node)
                scope.children.append(child)
                _collect(child)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    _assign(scope, target, value)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                _annotate(scope, target, annotation)
                if value:
                    _assign(scope, target, value)
            case ast.NamedExpr(target=target, value=value):
                _assign(scope, target, value)
            # A counter or the variable of a loop has many values.
            case ast.AugAssign(target=target) | ast.For(target=target):
                _assign(scope, target, None)
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                _assign(scope, target, value)
            case ast.Import() | ast.ImportFrom():
                _import(scope, node)


def _annotate(scope: Scope, target: ast.expr, annotation: ast.expr | None) -> None:
    if isinstance(target, ast.Name) and annotation:
        scope.annotations.setdefault(target.id, []).append(annotation)


def _import(scope: Scope, node: ast.Import | ast.ImportFrom) -> None:
    for alias in node.names:
        name = alias.asname or alias.name
        if isinstance(node, ast.Import):
            scope.imports[name] = (alias.name, "")
        else:
            scope.imports[name] = (_absolute(scope.module, node), alias.name)


def _assign(scope: Scope, target: ast.expr, value: ast.expr | None) -> None:
    match target:
        case ast.Name(id=name):
            scope.values.setdefault(name, []).append(value)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            values: list[ast.expr | None] = [None] * len(targets)
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(targets):
                values = list(value.elts)
            for each, its_value in zip(targets, values, strict=True):
                _assign(scope, each, its_value)


def _absolute(module: SourceModule, node: ast.ImportFrom) -> str:
    """The full name of the module that a statement imports from."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    is_package = module.file.endswith("__init__.py")
    above = parts[: len(parts) - node.level + is_package]
    return ".".join([*above, *filter(None, [node.module])])
