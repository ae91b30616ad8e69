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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from typing import IO, Any, cast

import narwhals as nw
from pandera.errors import SchemaError, SchemaErrors

import baton_handoff
from baton_handoff.contracts.api_forms import accepts, request_forms
from baton_handoff.contracts.canonical import (
    Contract,
    canonical_form,
    column_type,
    contracts_of,
    require_distinct_names,
)
from baton_handoff.contracts.examples import Row, Table
from baton_handoff.contracts.frames import Frame, from_rows
from baton_handoff.contracts.protocol import protocols_of
from baton_handoff.core.errors import HandoffError

_MACHINERY = str(Path(baton_handoff.__file__).parents[1])
"""Both trees are read by this very package, so that only what they state can differ."""


@dataclass(frozen=True)
class Place:
    """Where something is stated: a file, relative to the folder of the package, and a line."""

    file: str
    line: int


class Reader:
    """The contracts of one tree, read by a process of its own; two trees are read side by side.

    Raises:
        HandoffError: On the first question, if the contracts can't be imported or used.
    """

    def __init__(self, process: "subprocess.Popen[str]", complaints: IO[str], called: str) -> None:
        self._process = process
        self._complaints = complaints
        self._called = called

    @cached_property
    def contracts(self) -> dict[str, Any]:
        """The canonical form of every data contract, by name."""
        return dict(self._said["contracts"])

    @cached_property
    def api(self) -> dict[str, Any]:
        """The requests and answers of the API in the same form, by name."""
        return dict(self._said["api"])

    @cached_property
    def tables(self) -> dict[str, Any]:
        """All of these: whatever can be asked whether it accepts rows."""
        return {**self.contracts, **self.api}

    @cached_property
    def protocols(self) -> dict[str, Any]:
        """The members of every model contract, by name."""
        return dict(self._said["protocols"])

    def accepts(self, contract: str, tables: Sequence[Table]) -> list[bool]:
        """Whether a contract accepts each table."""
        questions = cast("IO[str]", self._process.stdin)
        questions.write(json.dumps({"contract": contract, "tables": tables}) + "\n")
        questions.flush()
        answer: list[bool] = json.loads(self._line())
        return answer

    def place(self, name: str, column: str | None = None) -> Place | None:
        """Where a contract or one of its columns is stated."""
        places = self._said["places"]
        place = places.get(f"{name}.{column}") or places.get(name)
        return Place(**place) if place else None

    @cached_property
    def _said(self) -> Mapping[str, Any]:
        said: Mapping[str, Any] = json.loads(self._line())
        return said

    def _line(self) -> str:
        line = cast("IO[str]", self._process.stdout).readline()
        if line:
            return line
        refused = self._process.wait() == HandoffError.exit_code
        self._complaints.seek(0)
        reason = self._complaints.read().strip().rpartition("\n")[2]
        how = "used" if refused else "imported"
        raise HandoffError(f"The contracts of {self._called} can't be {how}: {reason}")


@contextmanager
def reading(source: Path, room: str, called: str) -> Iterator[Reader]:
    """Begin to read the contracts under a folder.

    Args:
        source: The folder that holds the package.
        room: The package of the contracts, as it is imported.
        called: What the tree is called, in messages.

    Raises:
        HandoffError: There are no contracts.
    """
    if not source.joinpath(*room.split(".")).is_dir():
        raise HandoffError(f"{called} has no contracts: there is no package {room} in it.")
    with (
        # A file, not a pipe: a project may print more than a pipe holds.
        TemporaryFile("w+", encoding="utf-8") as complaints,
        subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(source), room],
            env=os.environ | {"PYTHONPATH": _MACHINERY, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        try:
            yield Reader(process, complaints, called)
        finally:
            process.kill()


def _main(source: Path, name: str, answers: IO[str]) -> None:
    # First on the path, before the tree whose environment this is.
    sys.path.insert(0, str(source))
    room = importlib.import_module(name)
    require_distinct_names(room)
    contracts, api = contracts_of(room), _api(room)
    said = {
        "contracts": {name: canonical_form(contract) for name, contract in contracts.items()},
        "api": request_forms(api),
        "protocols": protocols_of(room),
        "places": dict(_places(room, source)),
    }
    print(json.dumps(said), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        contract, tables = contracts.get(asked["contract"]), asked["tables"]
        if contract:
            taken = [accepts_rows(contract, table) for table in tables]
        else:
            taken = [accepts(getattr(api, asked["contract"]), table) for table in tables]
        print(json.dumps(taken), file=answers, flush=True)


def _api(room: ModuleType) -> ModuleType | None:
    try:
        return importlib.import_module(f"{room.__name__}.api")
    except ModuleNotFoundError:
        return None


def accepts_rows(contract: Contract, rows: Table) -> bool:
    """Whether a contract accepts rows of plain values, moments as text."""
    columns = contract.to_schema().columns
    present = [name for name in rows[0] if name in columns]
    extra = [nw.lit(value).alias(name) for name, value in rows[0].items() if name not in columns]
    try:
        table = from_plain_rows(contract, rows)
    except Exception:  # noqa: BLE001  a value that does not even fit the column's type; each engine has its own
        return False
    given = nw.from_native(table, eager_only=True).select(present).with_columns(extra)
    try:
        contract.validate(given.select(list(rows[0])).to_native())
    except (SchemaError, SchemaErrors):
        return False
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise HandoffError(f"{contract.__name__} can't judge a row: {reason}") from error
    return True


def from_plain_rows(contract: Contract, rows: Table) -> Frame:
    """A table in the contract's engine and types from rows of plain values, moments as text."""
    columns = contract.to_schema().columns
    moments = [n for n, column in columns.items() if column_type(column.dtype).startswith("time")]
    return from_rows(contract, [_with_moments(row, moments) for row in rows])


def _with_moments(row: Row, names: Sequence[str]) -> Row:
    return row | {name: datetime.fromisoformat(row[name]) for name in names if row.get(name)}


def _places(room: ModuleType, source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in room.__all__:
        stated = getattr(room, name)
        if not inspect.isclass(stated):
            continue
        for base in reversed(stated.__mro__):
            file = (
                inspect.getsourcefile(base) if base.__module__.startswith(room.__name__) else None
            )
            if file is None:
                continue
            where = Path(file).relative_to(source).as_posix()
            lines, first = inspect.getsourcelines(base)
            yield name, {"file": where, "line": first}
            for number, line in enumerate(lines, first):
                word = line.strip().removeprefix("def ").partition(":")[0].partition("(")[0].strip()
                if word.isidentifier():
                    yield f"{name}.{word}", {"file": where, "line": number}


if __name__ == "__main__":
    answers = sys.stdout
    try:
        with redirect_stdout(sys.stderr):  # whatever a project prints
            _main(Path(sys.argv[1]), sys.argv[2], answers)
    except HandoffError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
