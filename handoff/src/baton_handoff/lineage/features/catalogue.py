"""The feature catalogue: the meaning, the origin and the users of each feature."""

import ast
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from baton_handoff.config.project import Project
from baton_handoff.config.sides import answerable
from baton_handoff.contracts.canonical import Contract, contracts_at, contracts_of
from baton_handoff.contracts.dictionary import (
    DictionaryColumn,
    golden_rows,
    source_location,
    table_of,
)
from baton_handoff.contracts.examples import Row
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.features.column_lineage import Origin, origins_of
from baton_handoff.lineage.features.interfaces import (
    FeatureInterface,
    derivation_of,
    feature_interfaces,
)
from baton_handoff.lineage.features.misplaced import feature_names, misplaced_features
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.columns import column_writes, dict_texts, mentioned_names
from baton_handoff.source_code.modules import SourceError, SourceModule, read_module


@dataclass(frozen=True)
class Feature:
    """A feature.

    Attributes:
        column: Its name, meaning, type and rules, from its contract.
        origins: The columns that it comes from, for example `Weather.temp`; None if unknown.
        computed_in: The places that compute it, as `FILE:LINE`.
        side: The side that answers for these places.
        named_in: The files that use its table and name it.
    """

    column: DictionaryColumn
    origins: tuple[str, ...] | None
    computed_in: tuple[str, ...]
    side: str
    named_in: tuple[str, ...]


@dataclass(frozen=True)
class FeatureTable:
    """The features of one contract.

    Attributes:
        contract: The name of the contract.
        description: The description of the contract, in Markdown.
        declared_in: The place of the contract, as `FILE:LINE`.
        made_by: The function that returns the table and its place; None if no type tells it.
        features: The features, in the order of the contract.
        used_in: The files that use the table.
        unknown: Why the origins are unknown; None if they are known.
    """

    contract: str
    description: str
    declared_in: str
    made_by: tuple[str, str] | None
    features: tuple[Feature, ...]
    used_in: tuple[str, ...]
    unknown: str | None


def catalogue(project: Project) -> list[FeatureTable]:
    """Everything that the code tells about the features of a project.

    Raises:
        HandoffError: The contracts can't be imported, or a file can't be parsed.
    """
    interfaces, unknown = _interfaces(project)
    golden = golden_rows(project.root / "tests/golden")
    return [
        _table(project, contract, interfaces, golden, unknown)
        for contract in _feature_contracts(project.room("contracts"), interfaces)
    ]


def check_features(project: Project) -> list[Finding]:
    """Find the code that computes features outside `features/`.

    Raises:
        HandoffError: The contracts can't be imported, or a file can't be parsed.
    """
    room = project.room("contracts")
    interfaces, _ = _interfaces(project)
    contracts = _feature_contracts(room, interfaces)
    functions = [one.function.__name__ for one in interfaces if one.output.contract in contracts]
    names = feature_names(contracts_of(room).values(), contracts, functions)
    return list(misplaced_features(project, names))


def feature_contracts(project: Project) -> list[Contract]:
    """The contracts of the features.

    Raises:
        HandoffError: The contracts can't be imported.
    """
    return _feature_contracts(project.room("contracts"), _interfaces(project)[0])


def _interfaces(project: Project) -> tuple[list[FeatureInterface], str | None]:
    """The interfaces of `features/`, or none and the reason if it can't be imported."""
    # A project may drop `features/`; the contracts still have features to list.
    if not (project.source / "features").is_dir():
        return [], "there is no `features/`"
    try:
        return feature_interfaces(project.room("features")), None
    except HandoffError as error:
        return [], str(error).rstrip(".")


def _feature_contracts(room: ModuleType, interfaces: Sequence[FeatureInterface]) -> list[Contract]:
    """The internal contracts that an interface returns.

    If no type tells which, those that derive from no other: the others add columns to them.
    """
    internal = contracts_at(room, "internal")
    returned = [one for one in internal if any(i.output.contract is one for i in interfaces)]
    return returned or [
        one for one in internal if not any(o is not one and issubclass(one, o) for o in internal)
    ]


def _table(
    project: Project,
    contract: Contract,
    interfaces: Sequence[FeatureInterface],
    golden: Sequence[Row],
    unknown: str | None,
) -> FeatureTable:
    table = table_of(contract, project.root / "src", golden)
    interface = next((one for one in interfaces if one.output.contract is contract), None)
    origins: Mapping[str, tuple[Origin, ...]] = {}
    if interface is None:
        unknown = unknown or f"no function that `features/` exports returns {contract.__name__}"
    elif table.columns:
        try:
            # Standard output is for the catalogue, not for what the project's code prints.
            with project.explain_errors("The features"), redirect_stdout(sys.stderr):
                origins = origins_of(derivation_of(interface.output, interfaces), golden)
        except HandoffError as error:
            unknown = str(error).rstrip(".")
    function_at = source_location(interface.function, project.root / "src") if interface else ""
    computed = _computed_in(project, [column.name for column in table.columns])
    users = _users(project, contract, interfaces)
    sources = contracts_at(project.room("contracts"), "source")

    def feature(column: DictionaryColumn) -> Feature:
        found = origins.get(column.name)
        places = computed[column.name] or [function_at]
        file = (places[0] or table.location).partition(":")[0]
        return Feature(
            column,
            None if found is None else tuple(_origin_name(one, sources) for one in found),
            tuple(filter(None, places)),
            answerable(file, project.package, project.answerable),
            tuple(user for user, names in users.items() if column.name in names),
        )

    return FeatureTable(
        contract=table.name,
        description=table.description,
        declared_in=table.location,
        made_by=(interface.function.__name__, function_at) if interface else None,
        features=tuple(map(feature, table.columns)),
        used_in=tuple(users),
        unknown=unknown,
    )


def _origin_name(origin: Origin, sources: Sequence[Contract]) -> str:
    """A column by the name of its source if exactly one source has all columns of the contract."""
    contract, column = origin
    complete = [source for source in sources if issubclass(source, contract)]
    return f"{(complete[0] if len(complete) == 1 else contract).__name__}.{column}"


def _computed_in(project: Project, columns: Collection[str]) -> dict[str, list[str]]:
    """The places in `features/` that write each column by name, or name it in a dict."""
    found: dict[str, list[str]] = {column: [] for column in columns}
    for module in _modules(project.root, project.source / "features"):
        written = {(write.column, write.line) for write in column_writes(ast.walk(module.tree))}
        for column, line in sorted(written.union(dict_texts(module.tree))):
            if column in found:
                found[column].append(f"{module.file}:{line}")
    return found


def _users(
    project: Project, contract: Contract, interfaces: Sequence[FeatureInterface]
) -> dict[str, set[str]]:
    """The files that use a table of features or one derived from it, and the names in them."""
    family = [
        c for c in contracts_of(project.room("contracts")).values() if issubclass(c, contract)
    ]
    names = {one.__name__ for one in family}
    names |= {one.function.__name__ for one in interfaces if one.output.contract in family}
    own = tuple(f"src/{project.package}/{room}/" for room in ("contracts", "features"))
    folders = {project.source: "*.py", project.root / "tests": "*.py"}
    return {
        module.file: mentioned_names(module.tree)
        for folder, pattern in (folders | {project.root / "notebooks": "*.ipynb"}).items()
        for module in _modules(project.root, folder, pattern)
        if not module.file.startswith(own) and _uses(module, names)
    }


def _uses(module: SourceModule, names: Collection[str]) -> bool:
    """Whether a module imports one of these names from contracts or features, or calls it there."""
    imported = (
        alias.name
        for node in module.nodes(ast.ImportFrom)
        if _is_shared_room(node.module or "")
        for alias in node.names
    )
    attributes = (
        node.attr
        for node in module.nodes(ast.Attribute)
        if isinstance(node.value, ast.Name) and _is_shared_room(node.value.id)
    )
    return not (set(imported) | set(attributes)).isdisjoint(names)


def _is_shared_room(module: str) -> bool:
    return not {"contracts", "features"}.isdisjoint(module.split("."))


def _modules(root: Path, folder: Path, pattern: str = "*.py") -> Iterator[SourceModule]:
    """The files of a folder that can be parsed."""
    for file in sorted(folder.rglob(pattern)):
        if ".ipynb_checkpoints" not in file.parts:
            with suppress(SourceError):
                yield read_module(root, file.relative_to(root).as_posix())
