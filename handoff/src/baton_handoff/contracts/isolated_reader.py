"""Read the contracts of another tree in a process of its own, which imports them.

`python -m baton_handoff.contracts.isolated_reader FOLDER PACKAGE` prints the contracts of PACKAGE
in FOLDER as one line of JSON. Then it reads lines with a contract's name and tables, and prints for
each table whether the contract accepts it.
"""

import importlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from typing import IO, Any, cast

import baton_handoff
from baton_handoff.contracts.api_forms import accepts, api_forms
from baton_handoff.contracts.canonical import (
    canonical_form,
    contracts_of,
    require_distinct_names,
)
from baton_handoff.contracts.examples import Table
from baton_handoff.contracts.protocol import protocols_of
from baton_handoff.contracts.validation import accepts_rows
from baton_handoff.core.errors import HandoffError

_ENGINE = str(Path(baton_handoff.__file__).parents[1])
"""This package reads both trees, so that only their contracts can differ."""


@dataclass(frozen=True)
class Place:
    """A line of a file; the path is relative to the folder that holds the package."""

    file: str
    line: int


class Reader:
    """The contracts of one tree. The process reads while the other tree is read, too.

    Raises:
        HandoffError: At the first access, if the contracts can't be imported or used.
    """

    def __init__(self, process: "subprocess.Popen[str]", errors: IO[str], tree: str) -> None:
        self._process = process
        self._errors = errors
        self._tree = tree

    @cached_property
    def _read(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self._line())
        return read

    @property
    def contracts(self) -> dict[str, Any]:
        """The canonical form of every data contract, by name."""
        return dict(self._read["contracts"])

    @property
    def api(self) -> dict[str, Any]:
        """The models of the API in the same form, by name."""
        return dict(self._read["api"])

    @property
    def tables(self) -> dict[str, Any]:
        """Data contracts and models of the API: what accepts rows."""
        return {**self.contracts, **self.api}

    @property
    def protocols(self) -> dict[str, Any]:
        """The version and the members of every model contract, by name."""
        return dict(self._read["protocols"])

    def accepts(self, contract: str, tables: Sequence[Table]) -> list[bool]:
        """Whether a contract accepts each table."""
        self._read  # noqa: B018 - the first line of the process
        requests = cast("IO[str]", self._process.stdin)
        requests.write(json.dumps({"contract": contract, "tables": tables}) + "\n")
        requests.flush()
        answer: list[bool] = json.loads(self._line())
        return answer

    def place(self, name: str, column: str | None = None) -> Place | None:
        """Return the place of a contract, or of one of its columns if that is known."""
        places = self._read["places"]
        place = places.get(f"{name}.{column}") or places.get(name)
        return Place(*place) if place else None

    def _line(self) -> str:
        line = cast("IO[str]", self._process.stdout).readline()
        if line:
            return line
        refused = self._process.wait() == HandoffError.exit_code
        self._errors.seek(0)
        reason = self._errors.read().strip().rpartition("\n")[2]
        failed = "used" if refused else "imported"
        raise HandoffError(f"The contracts of {self._tree} can't be {failed}: {reason}")


@contextmanager
def reading(source: Path, package: str, tree: str) -> Iterator[Reader]:
    """Start to read the contracts in a folder.

    Args:
        source: The folder that holds the package.
        package: The package of the contracts, as it is imported.
        tree: The name of the tree, for messages.

    Raises:
        HandoffError: There is no such package.
    """
    if not source.joinpath(*package.split(".")).is_dir():
        raise HandoffError(f"{tree} has no contracts: there is no package {package} in it.")
    with (
        # A file, not a pipe: a project may print more than a pipe holds.
        TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(source), package],
            env=os.environ | {"PYTHONPATH": _ENGINE, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        try:
            yield Reader(process, errors, tree)
        finally:
            process.kill()


def _main(source: Path, name: str, output: IO[str]) -> None:
    # Before the tree whose environment this is.
    sys.path.insert(0, str(source))
    package = importlib.import_module(name)
    require_distinct_names(package)
    contracts = contracts_of(package)
    try:
        api: ModuleType | None = importlib.import_module(f"{name}.api")
    except ModuleNotFoundError:
        api = None
    read = {
        "contracts": {name: canonical_form(contract) for name, contract in contracts.items()},
        "api": api_forms(api),
        "protocols": protocols_of(package),
        "places": dict(_places(package, source)),
    }
    print(json.dumps(read), file=output, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        name, tables = request["contract"], request["tables"]
        if name in contracts:
            answer = [accepts_rows(contracts[name], table) for table in tables]
        else:
            answer = [accepts(getattr(api, name), table) for table in tables]
        print(json.dumps(answer), file=output, flush=True)


def _places(package: ModuleType, source: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield file and line of every exported class and of what it defines, inherited or its own."""
    classes = (getattr(package, name) for name in package.__all__)
    for exported in filter(inspect.isclass, classes):
        for base in reversed(exported.__mro__):
            if not base.__module__.startswith(package.__name__):
                continue
            file = Path(inspect.getfile(base)).relative_to(source).as_posix()
            lines, first = inspect.getsourcelines(base)
            yield exported.__name__, (file, first)
            for number, line in enumerate(lines, first):
                word = line.strip().removeprefix("def ").partition(":")[0].partition("(")[0].strip()
                if word.isidentifier():
                    yield f"{exported.__name__}.{word}", (file, number)


if __name__ == "__main__":
    output = sys.stdout
    try:
        with redirect_stdout(sys.stderr):  # what a project prints is no part of the answer
            _main(Path(sys.argv[1]), sys.argv[2], output)
    except HandoffError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
