"""Reading the contracts of another tree: a process of its own imports them and answers questions.

`python -m baton_handoff.contracts.reader FOLDER ROOM` prints what the package ROOM in FOLDER
states, as one line of JSON; afterwards it reads lines with a contract's name and tables, and prints
for each table whether the contract accepts it.
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
from types import ModuleType
from typing import IO, Any, cast

import narwhals as nw
from pandera.errors import SchemaError, SchemaErrors

import baton_handoff
from baton_handoff.contracts.canonical import (
    Contract,
    canonical_form,
    column_type,
    contracts_of,
    require_distinct_names,
)
from baton_handoff.contracts.examples import Row, Table
from baton_handoff.contracts.frames import from_rows
from baton_handoff.contracts.protocol import protocols_of
from baton_handoff.contracts.requests import accepts, request_forms
from baton_handoff.errors import HandoffError

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

    def __init__(self, process: "subprocess.Popen[str]", called: str) -> None:
        self._process = process
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
        questions, answers = _pipes(self._process)
        questions.write(json.dumps({"contract": contract, "tables": tables}) + "\n")
        questions.flush()
        answer: list[bool] = json.loads(answers.readline())
        return answer

    def place(self, name: str, column: str | None = None) -> Place | None:
        """Where a contract or one of its columns is stated."""
        places = self._said["places"]
        place = places.get(f"{name}.{column}") or places.get(name)
        return Place(**place) if place else None

    @cached_property
    def _said(self) -> Mapping[str, Any]:
        line = _pipes(self._process)[1].readline()
        if not line:
            reason = self._process.communicate()[1].strip().rpartition("\n")[2]
            refused = self._process.returncode == HandoffError.exit_code
            how = "used" if refused else "imported"
            raise HandoffError(f"The contracts of {self._called} can't be {how}: {reason}")
        said: Mapping[str, Any] = json.loads(line)
        return said


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
    with subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, str(source), room],
        env=os.environ | {"PYTHONPATH": _MACHINERY, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield Reader(process, called)
        finally:
            process.kill()


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    return cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)


def _main(source: Path, name: str) -> None:
    # First on the path, before the tree whose environment this is.
    sys.path.insert(0, str(source))
    with redirect_stdout(sys.stderr):  # whatever a project prints
        room = importlib.import_module(name)
        require_distinct_names(room)
    contracts, api = contracts_of(room), _api(room)
    said = {
        "contracts": {name: canonical_form(contract) for name, contract in contracts.items()},
        "api": request_forms(api),
        "protocols": protocols_of(room),
        "places": dict(_places(room, source)),
    }
    print(json.dumps(said), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        contract, tables = contracts.get(asked["contract"]), asked["tables"]
        if contract:
            answers = [accepted(contract, table) for table in tables]
        else:
            answers = [accepts(getattr(api, asked["contract"]), table) for table in tables]
        print(json.dumps(answers), flush=True)


def _api(room: ModuleType) -> ModuleType | None:
    try:
        return importlib.import_module(f"{room.__name__}.api")
    except ModuleNotFoundError:
        return None


def accepted(contract: Contract, rows: Table) -> bool:
    """Whether a contract accepts rows of plain values, moments as text."""
    columns = contract.to_schema().columns
    moments = [n for n, column in columns.items() if column_type(column.dtype).startswith("time")]
    present = [name for name in rows[0] if name in columns]
    extra = [nw.lit(value).alias(name) for name, value in rows[0].items() if name not in columns]
    try:
        table = from_rows(contract, [_with_moments(row, moments) for row in rows])
    except Exception:  # noqa: BLE001  a value that does not even fit the column's type; each engine has its own
        return False
    given = nw.from_native(table, eager_only=True).select(present).with_columns(extra)
    try:
        contract.validate(given.select(list(rows[0])).to_native())
    except (SchemaError, SchemaErrors):
        return False
    return True


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
            where = str(Path(file).relative_to(source))
            lines, first = inspect.getsourcelines(base)
            yield name, {"file": where, "line": first}
            for number, line in enumerate(lines, first):
                word = line.strip().removeprefix("def ").partition(":")[0].partition("(")[0].strip()
                if word.isidentifier():
                    yield f"{name}.{word}", {"file": where, "line": number}


if __name__ == "__main__":
    try:
        _main(Path(sys.argv[1]), sys.argv[2])
    except HandoffError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
