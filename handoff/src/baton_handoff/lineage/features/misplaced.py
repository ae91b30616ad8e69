"""Feature code outside `features/`: training could have a feature that the service lacks."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from baton_handoff.config.project import Project
from baton_handoff.config.sides import answerable
from baton_handoff.contracts.canonical import Contract
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.columns import ColumnWrite, column_writes
from baton_handoff.source_code.modules import SourceModule, read_module
from baton_handoff.source_code.scopes import Scope, scope_of

ROOMS = ("model", "training", "serving", "monitoring")
"""The rooms that use features and must not compute them. Notebooks may."""

_PASSING_ON = {"from_native", "validated"}
_SUMMARIES = {"agg", "describe", "group_by", "groupby", "pivot", "value_counts"}
_INDEXERS = {"iloc", "loc"}
_MAPPINGS = {"Counter", "Mapping", "MutableMapping", "defaultdict", "dict"}


@dataclass(frozen=True)
class FeatureNames:
    """The names by which feature code is recognised.

    Attributes:
        exclusive: Columns that are features and belong to no other contract.
        features: All features.
        declared: The columns of all contracts.
        contracts: The contracts of features and those derived from them.
        functions: The functions that return a table of features.
    """

    exclusive: frozenset[str]
    features: frozenset[str]
    declared: frozenset[str]
    contracts: frozenset[str]
    functions: frozenset[str]


def feature_names(
    contracts: Collection[Contract], features: Collection[Contract], functions: Collection[str]
) -> FeatureNames:
    """The names by which feature code is recognised, from all contracts and those of features."""
    family = [contract for contract in contracts if issubclass(contract, tuple(features))]
    others = _columns([contract for contract in contracts if contract not in family])
    own = _columns(features)
    return FeatureNames(
        exclusive=own - others,
        features=own,
        declared=others | _columns(family),
        contracts=frozenset(contract.__name__ for contract in family),
        functions=frozenset(functions),
    )


def _columns(contracts: Collection[Contract]) -> frozenset[str]:
    return frozenset(name for contract in contracts for name in contract.to_schema().columns)


def misplaced_features(project: Project, names: FeatureNames) -> Iterator[Finding]:
    """The lines outside `features/` that compute a feature; advice at every level.

    A column counts as a feature if its name is one and no other contract has it, or if it is
    written to a table that contains features by its type or by the function that returned it.

    Raises:
        SourceError: A file can't be parsed.
    """
    for room in ROOMS:
        for file in sorted((project.source / room).rglob("*.py")):
            path = file.relative_to(project.root).as_posix()
            module = read_module(project.root, path)
            for column, line in sorted(set(_misplaced(module, room, names))):
                known = column in names.features
                yield Finding(
                    "feature-outside",
                    f"the feature `{column}` is computed outside features/"
                    if known
                    else f"`{column}` is added to the features, but no contract declares it",
                    blocks=False,
                    side=answerable(path, project.package, project.answerable),
                    file=path,
                    line=line,
                    fix="compute it in features/, which training and the service share"
                    + ("" if known else ", and declare it in their contract"),
                )


def _misplaced(module: SourceModule, room: str, names: FeatureNames) -> Iterator[tuple[str, int]]:
    for scope in scope_of(module).walk():
        for write in column_writes(scope.nodes):
            if write.table is not None and _has_features(write.table, scope, names):
                # Training may add results for a row to the features, the model nothing.
                misplaced = write.column in names.features
                misplaced |= room == "model" and write.column not in names.declared
            else:
                misplaced = write.column in names.exclusive and not _writes_mapping(write, scope)
            if misplaced:
                yield write.column, write.line


def _has_features(
    table: ast.expr, scope: Scope, names: FeatureNames, resolved: frozenset[str] = frozenset()
) -> bool:
    """Whether an expression is a table of features, possibly with other rows or columns."""
    match table:
        case ast.Name(id=name) if name not in resolved and (found := scope.lookup(name)):
            return bool(_annotated_with(name, found) & names.contracts) or any(
                value and _has_features(value, found, names, resolved | {name})
                for value in found.values.get(name, [])
            )
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in names.functions:
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]) if (
            name in _PASSING_ON
        ):
            return _has_features(first, scope, names, resolved)
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name not in _SUMMARIES:
            return _has_features(value, scope, names, resolved)
        case ast.Attribute(value=value) | ast.Subscript(value=value):
            return _has_features(value, scope, names, resolved)
    return False


def _annotated_with(name: str, scope: Scope) -> set[str]:
    """The names in the annotations of a variable, also in those that are quoted."""
    found: set[str] = set()
    for node in (node for one in scope.annotations.get(name, []) for node in ast.walk(one)):
        match node:
            case ast.Name(id=part) | ast.Attribute(attr=part):
                found.add(part)
            case ast.Constant(value=str(text)):
                found.update(text.replace("]", "[").split("["))
    return found


def _writes_mapping(write: ColumnWrite, scope: Scope) -> bool:
    """Whether the target of a write may be a mapping instead of a table."""
    match write.table:
        case ast.Name(id=name) if found := scope.lookup(name):
            annotated = not _annotated_with(name, found).isdisjoint(_MAPPINGS)
            return annotated or any(map(_is_mapping, found.values.get(name, [])))
        case ast.Attribute(attr=attribute):
            return attribute not in _INDEXERS
        case ast.Subscript():
            return True
    return False


def _is_mapping(value: ast.expr | None) -> bool:
    match value:
        case ast.Dict() | ast.DictComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _MAPPINGS
    return False
