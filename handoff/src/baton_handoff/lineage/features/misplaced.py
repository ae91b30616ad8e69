"""Feature code outside `features/`, where training may have it and the service another, or none."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from baton_handoff.config.project import Project
from baton_handoff.config.sides import answerable
from baton_handoff.contracts.canonical import Contract
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.columns import ColumnWrite, column_writes, mentions, parsed

ROOMS = ("model", "training", "serving", "monitoring")
"""Where features are used, and not to be made. Notebooks are free."""

_HANDED_ON = {"from_native", "validated"}
_SUMMARIES = {"agg", "describe", "group_by", "groupby", "pivot", "value_counts"}
_PLACES = {"iloc", "loc"}
_MAPPINGS = {"Counter", "Mapping", "MutableMapping", "defaultdict", "dict"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class FeatureNames:
    """The names by which feature code is known.

    Attributes:
        own: Columns that are features and nothing else.
        features: All features.
        stated: The columns of all contracts.
        tables: The contracts of features, and those derived from them.
        functions: The functions that give a table of features.
    """

    own: frozenset[str]
    features: frozenset[str]
    stated: frozenset[str]
    tables: frozenset[str]
    functions: frozenset[str]


def feature_names(
    contracts: Collection[Contract], features: Collection[Contract], functions: Collection[str]
) -> FeatureNames:
    """The names by which a project's feature code is known.

    Args:
        contracts: All its data contracts.
        features: Those that state features.
        functions: The functions that give them.
    """
    family = [contract for contract in contracts if issubclass(contract, tuple(features))]
    others = _columns([contract for contract in contracts if contract not in family])
    stated = _columns(features)
    return FeatureNames(
        own=stated - others,
        features=stated,
        stated=others | _columns(family),
        tables=frozenset(contract.__name__ for contract in family),
        functions=frozenset(functions),
    )


def _columns(contracts: Collection[Contract]) -> frozenset[str]:
    return frozenset(name for contract in contracts for name in contract.to_schema().columns)


def misplaced_features(project: Project, names: FeatureNames) -> Iterator[Finding]:
    """Every line outside `features/` that computes a feature; advice, whatever the level.

    A column counts as one where its name is a feature's and nothing else's, or where it is written
    to a table that is known to hold features: by its type, or by the function that it comes from.
    """
    for room in ROOMS:
        for file in sorted((project.source / room).rglob("*.py")):
            path = file.relative_to(project.root).as_posix()
            side = answerable(path, project.package, project.answerable)
            for column, line in sorted(set(_strays(parsed(file), room, names))):
                known = column in names.features
                yield Finding(
                    "feature-outside",
                    f"the feature `{column}` is computed outside features/"
                    if known
                    else f"`{column}` is added to the features, and no contract states it",
                    blocks=False,
                    side=side,
                    file=path,
                    line=line,
                    fix="compute it in features/, which training and the service share"
                    + ("" if known else ", and state it in their contract"),
                )


def _strays(tree: ast.Module, room: str, names: FeatureNames) -> Iterator[tuple[str, int]]:
    functions = [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)]
    for scope in (tree, *functions):
        nodes = list(_inside(scope))
        tables, mappings = _known(scope, nodes, names)
        for write in column_writes(nodes):
            if write.table is not None and _is_of(write.table, tables, names):
                # Training may add to them what came of a row, the model nothing at all.
                stray = write.column in names.features
                stray |= room == "model" and write.column not in names.stated
            else:
                stray = write.column in names.own and not _in_mapping(write, mappings)
            if stray:
                yield write.column, write.line


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function or module, line by line, without the functions in it."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, _FUNCTIONS):
            yield node
            yield from _inside(node)


def _known(
    scope: ast.AST, nodes: Collection[ast.AST], names: FeatureNames
) -> tuple[set[str], set[str]]:
    """The variables of a scope that hold features, and those that are mappings."""
    tables: set[str] = set()
    mappings: set[str] = set()

    def learn(target: ast.AST, value: ast.expr | None, kind: ast.expr | None = None) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, its in zip(target.elts, value.elts, strict=False):
                learn(one, its)
        elif isinstance(target, ast.Name):
            said = _names_in(kind) if kind else set()
            if said & names.tables or (value and _is_of(value, tables, names)):
                tables.add(target.id)
            if said & _MAPPINGS or _is_mapping(value):
                mappings.add(target.id)

    if isinstance(scope, _FUNCTIONS):
        arguments = scope.args
        for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            learn(ast.Name(one.arg), None, one.annotation)
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    learn(target, value)
            case ast.AnnAssign(target=target, value=value, annotation=kind):
                learn(target, value, kind)
    return tables, mappings


def _names_in(annotation: ast.expr) -> set[str]:
    """The names in a type; one in quotes is read as well."""
    names: set[str] = set()
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
    return names.union(*(said.replace("]", "[").split("[") for said in mentions(annotation)))


def _is_of(table: ast.expr, tables: Collection[str], names: FeatureNames) -> bool:
    """Whether an expression is a table of features, or the same with other rows or columns."""
    match table:
        case ast.Name(id=name):
            return name in tables
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in names.functions:
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]) if (
            name in _HANDED_ON
        ):
            return _is_of(first, tables, names)
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name not in _SUMMARIES:
            return _is_of(value, tables, names)
        case ast.Attribute(value=value) | ast.Subscript(value=value):
            return _is_of(value, tables, names)
        case _:
            return False


def _is_mapping(value: ast.expr | None) -> bool:
    match value:
        case ast.Dict() | ast.DictComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _MAPPINGS
        case _:
            return False


def _in_mapping(write: ColumnWrite, mappings: Collection[str]) -> bool:
    """Whether what is written to may be no table at all."""
    match write.table:
        case ast.Name(id=name):
            return name in mappings
        case ast.Attribute(attr=attribute):
            return attribute not in _PLACES
        case ast.Subscript():
            return True
        case _:
            return False
