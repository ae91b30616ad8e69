"""Run the tools of an environment on a tree, whose code comes before installed packages."""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from tempfile import TemporaryDirectory

_LIBRARIES = (
    "fastapi.testclient",
    "joblib",
    "numpy",
    "pandera.pandas",
    "pandera.polars",
    "pandera.strategies.pandas_strategies",
    "pyarrow.parquet",
    "pytest",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "yaml",
    "baton_handoff.triage.pytest_run",
)
"""Modules that contract tests import first; the fork server skips one that is not installed."""


@dataclass(frozen=True)
class ToolRunner:
    """Runs the tools of one environment.

    Attributes:
        python: The interpreter of the environment.
        mypy_cache: The folder of the type checker's cache.
        limit: The seconds that a test or the import of a file may take.
        code: The folders of a tree whose code comes before installed packages.
    """

    python: Path
    mypy_cache: Path
    limit: float
    code: tuple[str, ...] = ("src",)

    def run(self, tree: Path, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """Run a command of the environment."""
        return subprocess.run(
            command,
            cwd=tree,
            env=os.environ | self._variables(tree),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    @contextmanager
    def pytest(self, tree: Path, places: Sequence[str]) -> Iterator[Path]:
        """Run tests, and yield the folder with what `pytest_run.run` has written."""
        with TemporaryDirectory() as folder:
            out, paths = Path(folder), [str(tree / place) for place in self.code]
            if can_fork(self.python, self.code):
                context = multiprocessing.get_context("forkserver")
                process = context.Process(
                    target=_in_fork,
                    args=(self._variables(tree), (tree, places, paths, self.limit, out)),
                )
                process.start()
                process.join()
            else:
                given = {"tree": str(tree), "places": [*places], "paths": paths}
                arguments = json.dumps({**given, "limit": self.limit, "out": str(out)})
                script = str(Path(__file__).with_name("pytest_run.py"))
                # -P: the modules beside the script must not hide others of their names.
                self.run(tree, [str(self.python), "-P", script, arguments])
            yield out

    def _variables(self, tree: Path) -> dict[str, str]:
        code = [*(str(tree / folder) for folder in self.code), os.environ.get("PYTHONPATH", "")]
        return {
            "PYTHONPATH": os.pathsep.join(filter(None, code)),
            "PYTHONDONTWRITEBYTECODE": "1",
            # import-linter breaks its lines at the width of the terminal, also inside of names.
            "COLUMNS": "2000",
            "PATH": os.pathsep.join([str(self.python.parent), os.environ.get("PATH", "")]),
        }


def can_fork(python: Path, code: Sequence[str]) -> bool:
    """True if the tests of all trees can share the libraries that one process has imported.

    False for other libraries or another baton_handoff than those of this process, and on macOS,
    whose system libraries don't support a fork.
    """
    same = python == Path(sys.executable) and [*code] == ["src"]
    return same and sys.platform == "linux"


def import_libraries() -> None:
    """Start the process that imports the libraries of all tests, without waiting for it."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([*_LIBRARIES])
    forkserver.ensure_running()


def _in_fork(
    variables: dict[str, str], arguments: tuple[Path, Sequence[str], Sequence[str], float, Path]
) -> None:
    """Run tests in this process, a fork that has imported their libraries already."""
    from baton_handoff.triage.pytest_run import run  # noqa: PLC0415 (it imports pytest)

    os.environ.update(variables)
    run(*arguments)
