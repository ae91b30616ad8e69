"""A repository that Baton has not made, as it lies there: it is read, and never changed."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from baton_handoff.config.project import Project
from baton_handoff.lineage.sources.usage import SourceUsage, source_usage
from baton_handoff.policy.checks.check_context import CheckContext, finding_at
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import (
    Notebook,
    SourceError,
    SourceModule,
    is_own,
    read_module,
)

_MARKS = (".git", "pyproject.toml", "setup.py", "requirements.txt", "environment.yml", "Pipfile")
"""What lies in the first folder of a repository, or of one project among several in it."""

_TESTS = {"test", "tests"}


def find_repository(start: Path | None = None) -> Project:
    """The repository that `start` (by default the working directory) lies in.

    It is the nearest folder upwards with git or a list of packages in it; `start` without one.
    """
    start = (start or Path.cwd()).resolve()
    marked = (at for at in (start, *start.parents) if any((at / m).exists() for m in _MARKS))
    root = next(marked, start)
    return Project(root, package="", model="", alias="", name=root.name, adopted=False)


@contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """Let nobody look for rubbish meanwhile: among many syntax trees it takes half of the time."""
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.enable()


@dataclass(frozen=True)
class _Read:
    modules: list[SourceModule]
    tests: list[SourceModule]
    notebooks: list[Notebook]
    unread: list[Finding]


@dataclass(frozen=True)
class Repository:
    """What checks look at where Baton has made nothing: all code, wherever it lies.

    Attributes:
        context: Its files, as other checks look at them.
    """

    context: CheckContext

    @property
    def paths(self) -> list[str]:
        """Its files."""
        return self.context.evidence.files.paths

    @property
    def modules(self) -> list[SourceModule]:
        """Its Python files, but for tests."""
        return self._all.modules

    @property
    def tests(self) -> list[SourceModule]:
        """Its tests, by the names of files and folders."""
        return self._all.tests

    @property
    def notebooks(self) -> list[Notebook]:
        """Its notebooks."""
        return self._all.notebooks

    @property
    def unread(self) -> list[Finding]:
        """The files with code that can't be read, and why."""
        return self._all.unread

    @property
    def code(self) -> list[SourceModule]:
        """Its Python files and notebooks, but for tests."""
        return [*self.modules, *self.notebooks]

    @cached_property
    def sources(self) -> SourceUsage:
        """What its code reads."""
        return source_usage(self.context.project, self.code, self.context.today)

    @property
    def looked_at(self) -> Mapping[str, int]:
        """How much was looked at."""
        return {
            "files": len(self.paths),
            "modules": len(self.modules),
            "notebooks": len(self.notebooks),
            "test files": len(self.tests),
        }

    @cached_property
    def _all(self) -> _Read:
        read, root = _Read([], [], [], []), self.context.project.root
        for path in self.paths:
            if path.endswith((".py", ".ipynb")) and is_own(path) and (root / path).is_file():
                try:
                    module = read_module(root, path)
                except SourceError as error:
                    read.unread.append(finding_at(error.reason, path, error.line))
                    continue
                if isinstance(module, Notebook):
                    read.notebooks.append(module)
                elif _is_test(PurePosixPath(path)):
                    read.tests.append(module)
                else:
                    read.modules.append(module)
        return read


def _is_test(path: PurePosixPath) -> bool:
    named = path.name.startswith("test_") or path.name.endswith("_test.py")
    return named or not _TESTS.isdisjoint(path.parts[:-1]) or path.name == "conftest.py"
