"""Read the contracts of another tree: a process of their own imports them, `reader_process`.

Whatever they do there, print, exit, crash or hang, becomes an error with its place in the code.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, cast

import baton_handoff
from baton_handoff.contracts.examples import Table
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.core.files import write_atomically

_ENGINE = str(Path(baton_handoff.__file__).parents[1])
"""This package reads both trees, so that only their contracts can differ."""

_ENVIRONMENT = sysconfig.get_paths()["purelib"]

_LIMIT = "HANDOFF_CONTRACTS_SECONDS"
"""The variable with the longest time that the contracts may take to be imported or to answer."""

_SECONDS = 60.0
_END = 20_000
"""The number of characters at the end of the output in which a traceback is searched."""


class Obstacle(StrEnum):
    """What keeps contracts from being read."""

    IMPORT = "import"
    USE = "use"
    TIME = "time"
    CRASH = "crash"


class UnreadableContractsError(HandoffError):
    """The contracts of a tree can't be imported or used.

    Attributes:
        obstacle: What keeps them from being read.
        file: The file, relative to the folder that holds the package; None if it is not known.
        line: The line, None if it is not known.
    """

    def __init__(
        self, tree: str, obstacle: Obstacle, reason: str, file: str | None, line: int | None
    ) -> None:
        place = f"src/{file}:{line}: " if file and line else f"src/{file}: " if file else ""
        verb = "used" if obstacle is Obstacle.USE else "imported"
        super().__init__(f"The contracts of {tree} can't be {verb}: {place}{reason}.")
        self.obstacle, self.file, self.line = obstacle, file, line


@dataclass(frozen=True)
class ReaderCache:
    """What was read from one tree, kept in a file. It is only as true as its key.

    Attributes:
        file: The file; it keeps one tree.
        tree: The id of the tree that holds the package.
        package: The package.
    """

    file: Path
    tree: str
    package: str

    @cached_property
    def _key(self) -> str:
        """A hash of everything that decides what is read: tree, engine, interpreter, packages."""
        engine = Path(__file__).parent
        parts = [self.tree, self.package, sys.version]
        parts += [file.read_text(encoding="utf-8") for file in sorted(engine.glob("*.py"))]
        parts += sorted(folder.name for folder in Path(_ENVIRONMENT).glob("*.dist-info"))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def load(self) -> dict[str, Any] | None:
        """What was read from the tree, None if it is not known."""
        try:
            kept = json.loads(self.file.read_text(encoding="utf-8"))
            return dict(kept["read"]) if kept["key"] == self._key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store(self, read: Mapping[str, Any]) -> None:
        """Keep what was read."""
        with suppress(OSError):  # a folder that is read only
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.file, json.dumps({"key": self._key, "read": read}))


class ReadContracts:
    """What was read from the contracts of one tree.

    Args:
        read: The forms that `reader_process` writes.
    """

    def __init__(self, read: Mapping[str, Any]) -> None:
        self._known = read

    @property
    def read(self) -> Mapping[str, Any]:
        """What was read, in a form that JSON can hold."""
        return self._known

    @property
    def contracts(self) -> dict[str, Any]:
        """The canonical form of every data contract, by name."""
        return dict(self.read["contracts"])

    @property
    def unexported(self) -> dict[str, Any]:
        """The form of every data contract that the package defines but doesn't export, by name."""
        return dict(self.read["unexported"])

    @property
    def descriptions(self) -> dict[str, dict[str, str | None]]:
        """The descriptions of the columns of every data contract, by name."""
        return dict(self.read["descriptions"])

    @property
    def api(self) -> dict[str, Any]:
        """The models of the API in the same form, by name."""
        return dict(self.read["api"])

    @property
    def tables(self) -> dict[str, Any]:
        """Data contracts and models of the API: what accepts rows."""
        return {**self.contracts, **self.api}

    @property
    def protocols(self) -> dict[str, Any]:
        """The version and the members of every model contract, by name."""
        return dict(self.read["protocols"])


class Reader(ReadContracts):
    """The contracts of one tree. The process reads while the other tree is read, too.

    Raises:
        UnreadableContractsError: At the first access, if the contracts can't be imported or used.
    """

    def __init__(
        self,
        start: Callable[[], "subprocess.Popen[str]"],
        errors: IO[str],
        tree: str,
        source: Path,
        cache: "ReaderCache | None",
    ) -> None:
        self._start = start
        self._errors = errors
        self._tree = tree
        self._source = source
        self._cache = cache
        self._cached = cache.load() if cache else None
        if self._cached is None:
            self.start()

    @cached_property
    def _process(self) -> "subprocess.Popen[str]":
        return self._start()

    @cached_property
    def _first_answer(self) -> dict[str, Any]:
        return dict(self._answer()["read"])

    @cached_property
    def _read(self) -> dict[str, Any]:
        if self._cached is not None:
            return self._cached
        if self._cache:
            self._cache.store(self._first_answer)
        return self._first_answer

    @property
    def read(self) -> Mapping[str, Any]:
        """What was read: from the cache, or by the process."""
        return self._read

    def start(self) -> None:
        """Start the process now, if only the cache was read: it will have to judge tables."""
        self._process  # noqa: B018 - starts

    def accepts(self, contract: str, tables: Sequence[Table]) -> Callable[[], list[bool]]:
        """Ask whether a contract accepts each table; what it returns waits for the answer."""
        self._first_answer  # noqa: B018 - the first line of the process
        requests = cast("IO[str]", self._process.stdin)
        with suppress(OSError):  # if it has ended, the answer tells why
            requests.write(json.dumps({"contract": contract, "tables": tables}) + "\n")
            requests.flush()
        return lambda: list(self._answer()["accepted"])

    def _answer(self) -> dict[str, Any]:
        line = cast("IO[str]", self._process.stdout).readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": self._end()}
        if problem := answer.get("error"):
            obstacle = Obstacle(problem["kind"])
            reason = problem["reason"].rstrip(".")
            raise UnreadableContractsError(
                self._tree, obstacle, reason, problem["file"], problem["line"]
            )
        return answer

    def _end(self) -> dict[str, Any]:
        """Describe why the process ended without an answer, from the traceback that it left."""
        code = self._process.wait()
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - _END))
        *_, trace = re.split(r"^(?=Timeout \()", self._errors.read(), flags=re.MULTILINE)
        timed_out = trace.startswith("Timeout (")
        problem: dict[str, Any] = {"kind": "time" if timed_out else "crash"}
        problem["reason"] = (
            f"it takes longer than {time_limit():g} seconds; set {_LIMIT} to allow more"
            if timed_out
            else f"the process ended with signal {-code}"
            if code < 0
            else f"the process ended with exit code {code}"
        )
        places = re.findall(r'File "(.+?)", line (\d+)', trace)
        inside = [(p, n) for p, n in places if Path(p).is_relative_to(self._source)]
        # The most recent call comes first in these tracebacks.
        file, line = inside[0] if inside else (None, None)
        problem["file"] = Path(file).relative_to(self._source).as_posix() if file else None
        return {**problem, "line": int(line) if line else None}


def time_limit() -> float:
    """Return the seconds that contracts may take to be imported, or to judge some tables.

    Raises:
        UsageError: The variable does not contain a number.
    """
    stated = os.environ.get(_LIMIT) or str(_SECONDS)
    try:
        seconds = float(stated)
    except ValueError:
        seconds = 0
    if not 0 < seconds < 10**6:
        raise UsageError(f"{_LIMIT} is {stated!r}: set it to a number of seconds above 0.")
    return seconds


@contextmanager
def reading(
    source: Path, package: str, tree: str, cache: ReaderCache | None = None
) -> Iterator[Reader]:
    """Start to read the contracts in a folder.

    Args:
        source: The folder that holds the package.
        package: The package of the contracts, as it is imported.
        tree: The name of the tree, for messages.
        cache: What was read from the same tree before; then a process only starts to judge tables.

    Raises:
        HandoffError: There is no such package.
    """
    if not source.joinpath(*package.split(".")).is_dir():
        raise HandoffError(f"{tree} has no contracts: there is no package {package} in it.")
    command = [sys.executable, "-P", "-m", f"{__package__}.reader_process"]
    with ExitStack() as stack:
        # A file, not a pipe: a project may print more than a pipe holds.
        errors = stack.enter_context(TemporaryFile("w+", encoding="utf-8", errors="replace"))

        def start() -> "subprocess.Popen[str]":
            process = stack.enter_context(
                subprocess.Popen(
                    [*command, str(source), package, str(time_limit())],
                    env=os.environ | {"PYTHONPATH": _ENGINE, "PYTHONDONTWRITEBYTECODE": "1"},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    encoding="utf-8",
                )
            )
            stack.callback(_stop, process)
            return process

        yield Reader(start, errors, tree, source, cache)


def _stop(process: "subprocess.Popen[str]") -> None:
    process.kill()
    with suppress(OSError):
        cast("IO[str]", process.stdin).close()
