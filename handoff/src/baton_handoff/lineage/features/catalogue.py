"""The feature catalogue: what each feature means, where it comes from, and who uses it."""

import sys
from collections.abc import Mapping, Sequence
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
from baton_handoff.source_code.columns import imports, mentions, parsed, places


@dataclass(frozen=True)
class Feature:
    """A feature.

    Attributes:
        column: Its name, meaning, type and rules, as its contract says.
        origins: The columns that it comes from, `Weather.temp` for example; None where that could
            not be found out.
        places: The lines that compute it, each a file and a line.
        side: Who answers for these.
        named_in: The files that use its table and name it.
    """

    column: DictionaryColumn
    origins: tuple[str, ...] | None
    places: tuple[str, ...]
    side: str
    named_in: tuple[str, ...]


@dataclass(frozen=True)
class Features:
    """The features of one contract.

    Attributes:
        contract: Its name.
        says: What it is, in Markdown.
        stated: The file that states it and the line.
        made_by: The function that gives them, its file and line; None where no type says it.
        features: The features, as they are declared.
        users: The files that use the table.
        unknown: Why it could not be found out what they come from; empty where it could.
    """

    contract: str
    says: str
    stated: str
    made_by: tuple[str, str] | None
    features: tuple[Feature, ...]
    users: tuple[str, ...]
    unknown: str


def catalogue(project: Project) -> list[Features]:
    """Everything that the code says of a project's features.

    Raises:
        HandoffError: The contracts can't be imported, or a file can't be read.
    """
    room = project.room("contracts")
    interfaces, unknown = _interfaces(project)
    known = golden_rows(project.root / "tests/golden")
    return [
        _features(project, contract, interfaces, known, unknown)
        for contract in _feature_contracts(room, interfaces)
    ]


def check_features(project: Project) -> list[Finding]:
    """What computes features outside `features/`.

    Raises:
        HandoffError: The contracts can't be imported, or a file can't be read.
    """
    room = project.room("contracts")
    interfaces, _ = _interfaces(project)
    features = _feature_contracts(room, interfaces)
    functions = [one.function.__name__ for one in interfaces if one.output.contract in features]
    names = feature_names(contracts_of(room).values(), features, functions)
    return list(misplaced_features(project, names))


def feature_contracts(project: Project) -> list[Contract]:
    """The contracts that state features.

    Raises:
        HandoffError: The contracts can't be imported.
    """
    return _feature_contracts(project.room("contracts"), _interfaces(project)[0])


def _interfaces(project: Project) -> tuple[list[FeatureInterface], str]:
    """The interfaces of `features/`; none, and why, where it can't be imported."""
    if not (project.source / "features").is_dir():
        return [], "there is no `features/`"
    try:
        return feature_interfaces(project.room("features")), ""
    except HandoffError as error:
        return [], str(error).rstrip(".")


def _feature_contracts(room: ModuleType, interfaces: Sequence[FeatureInterface]) -> list[Contract]:
    """The contracts that state features: internal ones that an interface gives.

    Where no type says which, those that are derived from no other: the others add to them.
    """
    inside = contracts_at(room, "internal")
    given = [
        one for one in inside if any(interface.output.contract is one for interface in interfaces)
    ]
    return given or [
        one for one in inside if not any(o is not one and issubclass(one, o) for o in inside)
    ]


def _features(
    project: Project,
    contract: Contract,
    interfaces: Sequence[FeatureInterface],
    known: Sequence[Row],
    unknown: str,
) -> Features:
    table = table_of(contract, project.root / "src", known)
    interface = next((one for one in interfaces if one.output.contract is contract), None)
    origins: Mapping[str, tuple[Origin, ...]] = {}
    if interface is None:
        unknown = unknown or f"no function that `features/` exports gives {contract.__name__}"
    elif table.columns:
        try:
            origins = _origins(project, interface, interfaces, known)
        except HandoffError as error:
            unknown = str(error).rstrip(".")
    at = source_location(interface.function, project.root / "src") if interface else ""
    names = [column.name for column in table.columns]
    computed = places(_files(project.source / "features"), names)
    using = _using(project, contract, interfaces)
    sources = contracts_at(project.room("contracts"), "source")

    def entry(column: DictionaryColumn) -> Feature:
        found = origins.get(column.name)
        own = [f"{_path(project, file)}:{line}" for file, line in computed[column.name]] or [at]
        return Feature(
            column,
            None if found is None else tuple(_named(origin, sources) for origin in found),
            tuple(filter(None, own)),
            _side(project, own[0] or table.location),
            tuple(file for file, said in using.items() if column.name in said),
        )

    return Features(
        contract=table.name,
        says=table.description,
        stated=table.location,
        made_by=(interface.function.__name__, at) if interface else None,
        features=tuple(map(entry, table.columns)),
        users=tuple(using),
        unknown=unknown,
    )


def _origins(
    project: Project,
    interface: FeatureInterface,
    interfaces: Sequence[FeatureInterface],
    known: Sequence[Row],
) -> Mapping[str, tuple[Origin, ...]]:
    # Whatever a project prints is not part of an answer.
    with project.explain_errors("The features"), redirect_stdout(sys.stderr):
        return origins_of(derivation_of(interface.output, interfaces), known)


def _named(origin: Origin, sources: Sequence[Contract]) -> str:
    """A column as people know it: by the source, where one source is all of what is given."""
    contract, column = origin
    held_by = [source for source in sources if issubclass(source, contract)]
    return f"{held_by[0].__name__ if len(held_by) == 1 else contract.__name__}.{column}"


def _using(
    project: Project, contract: Contract, interfaces: Sequence[FeatureInterface]
) -> dict[str, set[str]]:
    """Every file that uses a table of features, or one derived from it, with all that it names."""
    room = project.room("contracts")
    family = [one for one in contracts_of(room).values() if issubclass(one, contract)]
    names = {one.__name__ for one in family}
    names |= {b.function.__name__ for b in interfaces if b.output.contract in family}
    own = [project.source / room for room in ("contracts", "features")]
    files = [
        file
        for file in _files(project.source)
        if not any(file.is_relative_to(folder) for folder in own)
    ]
    files += [*_files(project.root / "tests"), *_files(project.root / "notebooks", "*.ipynb")]
    using: dict[str, set[str]] = {}
    for file in files:
        with suppress(HandoffError):  # a notebook that is none, a test that is half written
            tree = parsed(file)
            if imports(tree, names):
                using[_path(project, file)] = mentions(tree)
    return using


def _files(folder: Path, which: str = "*.py") -> list[Path]:
    return sorted(file for file in folder.rglob(which) if ".ipynb_checkpoints" not in file.parts)


def _path(project: Project, file: Path) -> str:
    return file.relative_to(project.root).as_posix()


def _side(project: Project, place: str) -> str:
    return answerable(place.partition(":")[0], project.package, project.answerable)
