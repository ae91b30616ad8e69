"""A repository that Baton has not made, as it lies there: it is read, and never changed."""

import ast
import gc
import json
import os
import tokenize
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from baton_handoff.config.project import Project
from baton_handoff.lineage.sources.usage import SourceUsage, source_usage
from baton_handoff.policy.checks.check_context import CheckContext, finding_at
from baton_handoff.reporting.findings import Finding
from baton_handoff.source_code.modules import Function, SourceModule, is_own, parse_module

_MARKS = (".git", "pyproject.toml", "setup.py", "requirements.txt", "environment.yml", "Pipfile")
"""What lies in the first folder of a repository, or of one project among several in it."""

_LARGEST = 10 * 2**20
"""Code is never so large, in bytes."""

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
class Notebook:
    """A notebook as it was saved.

    Attributes:
        code: The code of its cells.
        outputs: Whether it holds what they printed.
        stopped: Whether it holds an error at which a cell stopped.
        jumped: Whether its cells were run in another order than they stand in.
    """

    code: SourceModule
    outputs: bool
    stopped: bool
    jumped: bool


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
        return [*self.modules, *(notebook.code for notebook in self.notebooks)]

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
        read = _Read([], [], [], [])
        for path in self.paths:
            if path.endswith((".py", ".ipynb")) and is_own(path):
                try:
                    self._read_into(read, path)
                except SyntaxError as error:
                    why = f"it is no Python 3: {error.msg}"
                    read.unread.append(finding_at(why, path, error.lineno))
                except _NO_CODE as error:
                    read.unread.append(finding_at(f"it can't be read: {_short(error)}", path))
        return read

    def _read_into(self, read: _Read, path: str) -> None:
        file = self.context.project.root / path
        if not file.is_file():
            return
        if file.stat().st_size > _LARGEST:
            raise ValueError(f"it has {file.stat().st_size / 2**20:.0f} MB")
        content = file.read_bytes()
        if path.endswith(".ipynb"):
            read.notebooks.append(_notebook(path, content))
            return
        encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
        code = parse_module(path, content.decode(encoding))
        (read.tests if _is_test(PurePosixPath(path)) else read.modules).append(code)


_NO_CODE = (
    *(AttributeError, LookupError, MemoryError, OSError, RecursionError, TypeError, ValueError),
)


def _notebook(path: str, content: bytes) -> Notebook:
    cells: list[Any] = json.loads(content)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    printed = [output for cell in code for output in cell.get("outputs", [])]
    ran = [count for cell in code if (count := cell.get("execution_count"))]
    # Pictures in outputs are long, and no code.
    bare = [{"cell_type": "code", "source": cell["source"]} for cell in code]
    return Notebook(
        parse_module(path, json.dumps({"cells": bare})),
        outputs=bool(printed),
        stopped=any(output.get("output_type") == "error" for output in printed),
        jumped=ran != sorted(ran),
    )


def _is_test(path: PurePosixPath) -> bool:
    named = path.name.startswith("test_") or path.name.endswith("_test.py")
    return named or not _TESTS.isdisjoint(path.parts[:-1]) or path.name == "conftest.py"


def _short(error: BaseException) -> str:
    if isinstance(error, OSError):
        return os.strerror(error.errno or 0)
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return str(error).partition("\n")[0] or type(error).__name__


def imports(code: SourceModule) -> set[str]:
    """The packages that a file imports."""
    names = {one.name for node in code.nodes(ast.Import) for one in node.names}
    names |= {node.module or "" for node in code.nodes(ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def functions_of(code: SourceModule) -> list[Function]:
    """The functions of a file, those of its classes too."""
    return [*code.nodes(ast.FunctionDef), *code.nodes(ast.AsyncFunctionDef)]
