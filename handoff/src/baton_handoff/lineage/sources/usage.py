"""The sources of a project, the code that reads them, and the accepted exceptions."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from baton_handoff.config.project import Project
from baton_handoff.config.settings import PolicyException
from baton_handoff.config.sides import DATA_SCIENCE
from baton_handoff.core.yaml_files import read_yaml
from baton_handoff.lineage.sources.odcs import Source, load_sources
from baton_handoff.lineage.sources.reads import Read, data_reads, paths_match
from baton_handoff.lineage.sources.workarounds import Workaround, find_workarounds
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import (
    SourceError,
    SourceModule,
    project_modules,
    read_module,
)
from baton_handoff.source_code.scopes import Scope, scope_of

State: TypeAlias = Literal["found", "owned", "official"]

GATE = "sources"
"""The gate of a promotion; `sources/prices` is the part of it for one source."""


@dataclass(frozen=True)
class SourceUsage:
    """The facts that the checks of sources judge.

    Attributes:
        sources: The sources with a valid file.
        invalid_files: A finding for each error in the other files.
        reads: The places in the code that read data.
        workarounds: The places in the code that work around a problem of a source.
        missing_contracts: The contracts that sources name and that do not exist.
        exceptions: The exceptions for sources that have not expired.
        sides: The side that has to act, by file; data science for files of both sides.
        today: The day of the check.
        contracts: All classes in the modules that sources name, as MODULE:Class.
    """

    sources: tuple[Source, ...]
    invalid_files: tuple[Finding, ...]
    reads: tuple[Read, ...]
    workarounds: tuple[Workaround, ...]
    missing_contracts: frozenset[str]
    exceptions: tuple[PolicyException, ...]
    sides: Mapping[str, str]
    today: date
    contracts: tuple[str, ...] = ()

    def exception(self, source: Source) -> PolicyException | None:
        """The exception for a source, None if there is none."""
        gates = (GATE, f"{GATE}/{source.name}")
        return next((one for one in self.exceptions if one.gate in gates), None)

    def has_ended(self, source: Source) -> bool:
        """Whether a source is past its end of life, without an exception."""
        end = source.end_of_life
        return end is not None and end < self.today and not self.exception(source)

    def state(self, source: Source) -> State:
        """How far the owner of a source has handed it over."""
        if not source.owner:
            return "found"
        return "official" if source.official or self.exception(source) else "owned"

    def reads_of(self, source: Source) -> list[Read]:
        """The places that read a source."""
        return [read for read in self.reads if source in self.sources_of(read)]

    def sources_of(self, read: Read) -> list[Source]:
        """The sources that a place reads: those in its comment, or else those at its location."""
        if read.sources:
            return [source for source in self.sources if source.name in read.sources]
        return [
            source
            for source in self.sources
            if any(_is_at(location, read) for location in source.locations)
        ]

    @property
    def undescribed_reads(self) -> list[Read]:
        """The reads of data that neither has a source file nor is made by the project."""
        return [
            read
            for read in self.reads
            if read.kind != "unknown"
            and not (read.made_by or read.sources or self.sources_of(read))
        ]


def source_usage(
    project: Project, modules: Sequence[SourceModule] | None = None, today: date | None = None
) -> SourceUsage:
    """Collect the facts about the sources of a project; by default its code is read, for today."""
    sources, invalid = load_sources(project.root)
    modules = list(project_modules(project.root)) if modules is None else modules
    # The local day: an exception or a source ends at midnight where the team works.
    day = today or datetime.now(UTC).astimezone().date()
    contracts = {source.contract for source in sources if source.contract}
    files = {*(one.file for one in modules), *(one.file for one in sources)}
    files |= {str(finding.file) for finding in invalid}
    return SourceUsage(
        sources=tuple(sources),
        invalid_files=tuple(invalid),
        reads=tuple(data_reads(modules, stage_outputs(project.root))),
        workarounds=tuple(find_workarounds(modules)),
        missing_contracts=frozenset(c for c in contracts if not _exists(project.source, c)),
        contracts=tuple(
            f"{module}:{name}"
            for module in sorted({contract.partition(":")[0] for contract in contracts})
            for name in _classes(project.source, module)
        ),
        exceptions=tuple(
            e for e in project.exceptions if e.gate.partition("/")[0] == GATE and e.counts(day)
        ),
        sides={file: project.side_of(file) or DATA_SCIENCE for file in files},
        today=day,
    )


def stage_outputs(root: Path) -> Iterator[tuple[str, str]]:
    """The outputs of the pipeline in `dvc.yaml`: each path and its stage."""
    try:
        stages = read_yaml(root / "dvc.yaml")["stages"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    for name, stage in stages:
        outputs = stage.get("outs", []) if isinstance(stage, Mapping) else []
        for output in outputs:
            yield str(next(iter(output)) if isinstance(output, Mapping) else output), str(name)


def _exists(package: Path, contract: str) -> bool:
    """Whether a module of the project defines or imports a contract; the module is not run."""
    module, _, name = contract.partition(":")
    try:
        scopes = [*_scopes(package, module)]
    except SourceError:
        return True  # other checks report this error
    return any(scope.child(name) is not None or scope.defines(name) for scope in scopes[:1])


def _classes(package: Path, module: str) -> list[str]:
    """The names of the classes in a module of the project; none if it can't be parsed."""
    try:
        children = [child for scope in _scopes(package, module) for child in scope.children]
    except SourceError:
        return []
    return [one.definition.name for one in children if isinstance(one.definition, ast.ClassDef)]


def _scopes(package: Path, module: str) -> Iterator[Scope]:
    """The names of a module of the project, none if there is no such module.

    Raises:
        SourceError: It can't be parsed.
    """
    place = package.joinpath(*module.split("."))
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            yield scope_of(read_module(package, file.relative_to(package).as_posix()))


def _is_at(location: str, read: Read) -> bool:
    """Whether a place reads the data at a location; a table may lack the name of its schema."""
    if read.kind != "table":
        return paths_match(location, read.data)
    one, other = f".{location.lower()}", f".{read.data.lower()}"
    return one.endswith(other) or other.endswith(one)
