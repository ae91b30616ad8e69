"""What is looked at before sources are judged: their files, the code, and what is accepted."""

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
from baton_handoff.lineage.sources.reads import Read, data_reads, meets
from baton_handoff.lineage.sources.validation import SourceProblem
from baton_handoff.lineage.sources.workarounds import Workaround, find_workarounds
from baton_handoff.source_code.modules import SourceModule, parse_module, project_modules, scope_of

State: TypeAlias = Literal["found", "owned", "official"]

GATE = "sources"
"""The gate of a promotion, and with a source's name behind it, `sources/prices`, of one source."""


@dataclass(frozen=True)
class SourceUsage:
    """Everything that the checks of sources look at.

    Attributes:
        sources: The sources that have a file.
        invalid_files: What is wrong with such files.
        reads: What the code reads.
        workarounds: Where the code makes up for what is wrong with a source.
        missing: The contracts that a source names and that there are not.
        accepted: The exceptions for sources that count today.
        sides: Who has to act on each file: who answers for it, or else who looks for data.
        today: The day on which it was looked at.
    """

    sources: tuple[Source, ...]
    invalid_files: tuple[SourceProblem, ...]
    reads: tuple[Read, ...]
    workarounds: tuple[Workaround, ...]
    missing: frozenset[str]
    accepted: tuple[PolicyException, ...]
    sides: Mapping[str, str]
    today: date

    def exception(self, source: Source) -> PolicyException | None:
        """The exception for a source, None where there is none."""
        named = (GATE, f"{GATE}/{source.name}")
        return next((one for one in self.accepted if one.gate in named), None)

    def ended(self, source: Source) -> bool:
        """Whether a source is past its end of life, and nobody accepts that."""
        end = source.end_of_life
        return end is not None and end < self.today and not self.exception(source)

    def state(self, source: Source) -> State:
        """How far a source is handed over."""
        if not source.owner:
            return "found"
        return "official" if source.official or self.exception(source) else "owned"

    def read_in(self, source: Source) -> list[Read]:
        """Where a source is read, by what it is called or by what a comment says."""
        return [read for read in self.reads if source in self.sources_of(read)]

    def sources_of(self, read: Read) -> list[Source]:
        """The sources that a place reads."""
        if read.stated:
            return [source for source in self.sources if source.name in read.stated]
        return [
            source
            for source in self.sources
            if any(_is(location, read) for location in source.locations)
        ]

    @property
    def found(self) -> list[Read]:
        """What is read, is not of the project's own making, and has no file."""
        return [
            read
            for read in self.reads
            if read.kind != "unknown"
            and not read.made_by
            and not read.stated
            and not self.sources_of(read)
        ]


def source_usage(
    project: Project, code: Sequence[SourceModule] | None = None, today: date | None = None
) -> SourceUsage:
    """Everything that the checks of sources look at, as it stands now.

    Args:
        project: The project.
        code: Its code, where it has been read already.
        today: The day it is.
    """
    sources, invalid_files = load_sources(project.root)
    modules = list(project_modules(project.root)) if code is None else code
    day = today or datetime.now(UTC).astimezone().date()
    named = {source.contract for source in sources if source.contract}
    files = {
        *(code.file for code in modules),
        *(s.file for s in sources),
        *(f.file for f in invalid_files),
    }
    return SourceUsage(
        sources=tuple(sources),
        invalid_files=tuple(invalid_files),
        reads=tuple(data_reads(modules, stage_outputs(project.root))),
        workarounds=tuple(find_workarounds(modules)),
        missing=frozenset(name for name in named if not _exists(project.source, name)),
        accepted=tuple(e for e in project.exceptions if _of_sources(e) and e.counts(day)),
        sides={file: project.side_of(file) or DATA_SCIENCE for file in files},
        today=day,
    )


def stage_outputs(root: Path) -> Iterator[tuple[str, str]]:
    """What the pipeline makes: each path, and the stage that does."""
    try:
        said = read_yaml(root / "dvc.yaml")
        stages = said["stages"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    for stage, told in stages:
        outs = told.get("outs", []) if isinstance(told, Mapping) else []
        for out in outs:
            yield str(next(iter(out)) if isinstance(out, Mapping) else out), str(stage)


def _of_sources(accepted: PolicyException) -> bool:
    return accepted.gate.partition("/")[0] == GATE


def _exists(package: Path, contract: str) -> bool:
    """Whether a module of the project has a class of this name, or imports one; it is not run."""
    module, _, name = contract.partition(":")
    place = package.joinpath(*module.split("."))
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            try:
                scope = scope_of(parse_module(file.name, file.read_text(encoding="utf-8")))
            except (SyntaxError, ValueError):
                return True  # other checks say what is wrong there
            return name in {*scope.inner, *scope.imports, *scope.values}
    return False


def _is(location: str, read: Read) -> bool:
    """Whether a place reads what is called so."""
    if read.kind == "table":
        one, other = location.lower(), read.what.lower()
        return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
    return meets(location, read.what)
