"""The tools of an environment, run on a tree: its code comes before what is installed."""

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
"""Plugins that the environment brings along and these tests don't use: to import them takes longer
than the tests."""

_PYTEST = (
    "-q",
    "--continue-on-collection-errors",
    # pytest's own way to show a traceback reads every file in it anew for each test that fails.
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
"""What contract tests import before they begin; one that is not installed is passed over."""


@dataclass(frozen=True)
class ToolRunner:
    """With what checks are run.

    Attributes:
        python: The interpreter of the environment whose tools run.
        memory: A folder in which the type checker remembers what it has learnt.
        code: The folders of a tree whose code comes before what is installed.
    """

    python: Path
    memory: Path
    code: tuple[str, ...] = ("src",)

    def run(self, tree: Path, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """Run a command of the environment."""
        return subprocess.run(
            command,
            cwd=tree,
            env=os.environ | self._own(tree),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def pytest(self, tree: Path, arguments: Sequence[str]) -> str:
        """Run tests, and return what pytest printed."""
        if not self._forks:
            said = self.run(tree, [str(self.python), "-m", "pytest", *_PYTEST, *arguments])
            return said.stderr or said.stdout
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*_LIBRARIES])
        with TemporaryDirectory() as folder:
            said_to = Path(folder) / "said.txt"
            process = context.Process(
                target=_pytest, args=(tree, self._own(tree), [*_PYTEST, *arguments], said_to)
            )
            process.start()
            process.join()
            return said_to.read_text(encoding="utf-8", errors="replace")

    @property
    def _forks(self) -> bool:
        """Whether all trees' tests can share what one process has imported.

        Not with other libraries or another baton_handoff than this process has, and not where the
        system's own libraries don't bear a fork: macOS.
        """
        own = self.python == Path(sys.executable) and self.code == ("src",)
        return own and sys.platform == "linux"

    def _own(self, tree: Path) -> dict[str, str]:
        code = [*(str(tree / folder) for folder in self.code), os.environ.get("PYTHONPATH", "")]
        return {
            "PYTHONPATH": os.pathsep.join(filter(None, code)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": os.pathsep.join([str(self.python.parent), os.environ.get("PATH", "")]),
        }


def _pytest(tree: Path, own: dict[str, str], arguments: list[str], said_to: Path) -> None:
    """Run tests in this process, a fork in which their libraries are imported already."""
    with said_to.open("w") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    import numpy as np  # noqa: PLC0415
    import pytest  # noqa: PLC0415

    os.chdir(tree)
    os.environ.update(own)
    sys.path[:0] = [str(tree), *own["PYTHONPATH"].split(os.pathsep)]
    sys.dont_write_bytecode = True
    # What is imported need not be searched for garbage by every fork.
    gc.freeze()
    # Chance is not to be the same in every fork: a flaky test would look steady.
    np.random.seed()
    sys.exit(pytest.main(arguments))
