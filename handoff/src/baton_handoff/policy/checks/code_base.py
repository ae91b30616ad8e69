"""The code of a repository: modules, tests, notebooks, and files that can't be parsed."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath

from baton_handoff.config.project_files import ProjectFiles
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import (
    Notebook,
    SourceError,
    SourceModule,
    is_own,
    read_module,
)

_TESTS = {"test", "tests"}


class CodeBase:
    """The code of a repository; each file is parsed when it is needed."""

    def __init__(self, root: Path, files: ProjectFiles) -> None:
        self._root = root
        self._paths = [path for path in files.paths if is_own(path)]
        self._unreadable: list[Finding] = []

    @cached_property
    def modules(self) -> list[SourceModule]:
        """Its Python files, without tests."""
        return self._read(path for path in self._paths if _is_module(path) and not _is_test(path))

    @cached_property
    def tests(self) -> list[SourceModule]:
        """Its tests, by the names of files and folders."""
        return self._read(path for path in self._paths if _is_module(path) and _is_test(path))

    @cached_property
    def notebooks(self) -> list[Notebook]:
        """Its notebooks."""
        found = self._read(path for path in self._paths if path.endswith(".ipynb"))
        return [notebook for notebook in found if isinstance(notebook, Notebook)]

    @cached_property
    def all(self) -> list[SourceModule]:
        """Its Python files and notebooks, without tests."""
        return [*self.modules, *self.notebooks]

    @cached_property
    def unreadable(self) -> list[Finding]:
        """A finding for each file with code that can't be parsed."""
        _ = self.all, self.tests
        return sorted(self._unreadable, key=lambda finding: finding.file or "")

    def _read(self, paths: Iterable[str]) -> list[SourceModule]:
        modules = []
        for path in paths:
            try:
                modules.append(read_module(self._root, path))
            except SourceError as error:
                finding = Finding("", error.reason, blocks=False, file=path, line=error.line)
                self._unreadable.append(finding)
        return modules


def _is_module(path: str) -> bool:
    return path.endswith(".py")


def _is_test(path: str) -> bool:
    name, folders = PurePosixPath(path).name, PurePosixPath(path).parts[:-1]
    return (
        name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
        or not _TESTS.isdisjoint(folders)
    )
