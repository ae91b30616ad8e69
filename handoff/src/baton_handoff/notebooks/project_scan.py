"""The scan of a project: which files, and what the project says about its features and sources."""

from collections.abc import Iterable, Mapping, Sequence

from baton_handoff.config.project import Project
from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.lineage.sources.usage import source_usage
from baton_handoff.notebooks.scan import Known, RuleMatch, scan
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import SourceError, SourceModule, is_own, read_module
from baton_handoff.source_code.static_contracts import DeclaredContract, declared_contracts

_TESTS = "tests/"


def project_places(
    project: Project, chosen: Sequence[str]
) -> tuple[list[RuleMatch], list[Finding]]:
    """What a scan finds in a project.

    Args:
        project: The project.
        chosen: The files, and folders with a slash at their end; empty for all but tests.

    Returns:
        The places that rules are about, and a finding for each file that can't be read.

    Raises:
        HandoffError: ruff can't run.
    """
    modules, unreadable = [], []
    for file in _files(project, chosen):
        try:
            modules.append(read_module(project.root, file))
        except SourceError as error:
            side = project.side_of(file)
            message = f"{file} can't be scanned: {error.reason}"
            unreadable.append(Finding("unreadable", message, False, side, file, error.line))
    return scan(modules, _known(project, modules)), unreadable


def _files(project: Project, chosen: Sequence[str]) -> Iterable[str]:
    files = ProjectFiles(project.root)
    if not chosen:
        listed = [file for file in files.paths if is_own(file) and not file.startswith(_TESTS)]
    else:
        listed = [file for file in files.under(chosen) if file in chosen or is_own(file)]
    return [file for file in listed if file.endswith((".py", ".ipynb"))]


def _known(project: Project, modules: Sequence[SourceModule]) -> Known:
    if not project.adopted:
        return Known()
    return Known(_features(project), source_usage(project, modules).undescribed_reads)


def _features(project: Project) -> Mapping[str, str]:
    """The columns that only the contract of the features has, with their place.

    A contract that adds to the features, a label for example, is not one of features.
    """
    folder = f"src/{project.package}/contracts/"
    files = [file for file in ProjectFiles(project.root).under([folder]) if file.endswith(".py")]
    contracts: list[DeclaredContract] = []
    for file in files:
        try:
            contracts += declared_contracts([read_module(project.root, file)])
        except SourceError:
            continue
    internal = [one for one in contracts if one.metadata.get("position") == "internal"]
    others = {name for one in contracts if one not in internal for name in one.columns}
    return {
        name: f"{column.file}:{column.line}"
        for one in internal
        if not any(set(other.columns) < set(one.columns) for other in internal)
        for name, column in one.columns.items()
        if name not in others
    }
