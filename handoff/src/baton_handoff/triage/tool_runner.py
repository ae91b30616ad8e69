"""Run the tools of an environment on a tree, whose code comes before installed packages."""

import gc
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_UNUSED = ("cacheprovider", "hydra_pytest", "nbmake", "pytest-bdd", "schemathesis")
"""Plugins of the environment that contract tests don't use: importing them takes longer than the
tests."""

_PYTEST = (
    "-q",
    "--continue-on-collection-errors",
    # pytest's own traceback style reads every file of a traceback anew for each test that fails.
    "--tb=native",
    "--override-ini=addopts=--import-mode=importlib",
    *(f"-pno:{plugin}" for plugin in _UNUSED),
)

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
)
"""Modules that contract tests import first; the fork server skips one that is not installed."""


@dataclass(frozen=True)
class ToolRunner:
    """Runs the tools of one environment.

    Attributes:
        python: The interpreter of the environment.
        mypy_cache: The folder of the type checker's cache.
        code: The folders of a tree whose code comes before installed packages.
    """

    python: Path
    mypy_cache: Path
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
            check=False,
        )

    def pytest(self, tree: Path, arguments: Sequence[str]) -> str:
        """Run tests, and return what pytest printed."""
        if not self._can_fork:
            done = self.run(tree, [str(self.python), "-m", "pytest", *_PYTEST, *arguments])
            return done.stderr or done.stdout
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*_LIBRARIES])
        with TemporaryDirectory() as folder:
            output = Path(folder) / "output.txt"
            process = context.Process(
                target=_run_pytest,
                args=(tree, self._variables(tree), [*_PYTEST, *arguments], output),
            )
            process.start()
            process.join()
            return output.read_text(encoding="utf-8", errors="replace")

    @property
    def _can_fork(self) -> bool:
        """True if the tests of all trees can share the libraries that one process has imported.

        False for other libraries or another baton_handoff than those of this process, and on macOS,
        whose system libraries don't support a fork.
        """
        same = self.python == Path(sys.executable) and self.code == ("src",)
        return same and sys.platform == "linux"

    def _variables(self, tree: Path) -> dict[str, str]:
        code = [*(str(tree / folder) for folder in self.code), os.environ.get("PYTHONPATH", "")]
        return {
            "PYTHONPATH": os.pathsep.join(filter(None, code)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": os.pathsep.join([str(self.python.parent), os.environ.get("PATH", "")]),
        }


def _run_pytest(tree: Path, variables: dict[str, str], arguments: list[str], output: Path) -> None:
    """Run tests in this process, a fork that has imported their libraries already."""
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import numpy as np  # noqa: PLC0415
    import pytest  # noqa: PLC0415

    os.chdir(tree)
    os.environ.update(variables)
    sys.path[:0] = [str(tree), *variables["PYTHONPATH"].split(os.pathsep)]
    sys.dont_write_bytecode = True
    # Otherwise the garbage collector of every fork searches all imported modules.
    gc.freeze()
    # A fork inherits the random state: with the same numbers a flaky test would look steady.
    np.random.seed()
    sys.exit(pytest.main(arguments))
