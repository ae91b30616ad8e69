"""The process that imports the contracts of a tree: `isolated_reader` starts it.

`python -m baton_handoff.contracts.reader_process FOLDER PACKAGE SECONDS` writes the contracts of
PACKAGE in FOLDER as one line of JSON. Then it reads lines with a contract's name and tables, and
writes for each table whether the contract accepts it.
"""

import faulthandler
import importlib
import json
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NoReturn

_MOST_OUTPUT = 100 * 2**20
"""The most bytes that the contracts may print: enough for a traceback, too few to fill a disk."""


class _Ended(BaseException):
    """The contracts would have ended the process."""


def main(source: Path, name: str, seconds: float) -> None:
    """Answer requests until the input ends."""
    requests, answers = _own_streams()
    _keep_running()
    # Before the tree whose environment this is.
    sys.path.insert(0, str(source))
    try:
        faulthandler.dump_traceback_later(seconds, exit=True)
        contracts, api, read = _read(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - also SystemExit: a module may do anything
        _answer({"error": _problem(error, source)}, answers)
        return
    _answer({"read": read}, answers)
    from baton_handoff.contracts.api_forms import accepts  # noqa: PLC0415
    from baton_handoff.contracts.validation import accepts_each  # noqa: PLC0415

    for line in requests:
        faulthandler.dump_traceback_later(seconds, exit=True)
        request = json.loads(line)
        name = request["contract"]
        try:
            if name in contracts:
                accepted = accepts_each(contracts[name], request["tables"])
            else:
                model = getattr(api, name)
                accepted = [accepts(model, table) for table in request["tables"]]
        except Exception as error:  # noqa: BLE001 - code of the project
            _answer({"error": _problem(error, source)}, answers)
        else:
            _answer({"accepted": accepted}, answers)


def _read(name: str) -> tuple[dict[str, Any], ModuleType | None, dict[str, Any]]:
    package = importlib.import_module(name)
    try:
        api: ModuleType | None = importlib.import_module(f"{name}.api")
    except ModuleNotFoundError as error:
        if error.name != f"{name}.api":
            raise
        api = None
    from baton_handoff.contracts.api_forms import api_forms  # noqa: PLC0415
    from baton_handoff.contracts.canonical import (  # noqa: PLC0415
        canonical_form,
        contracts_of,
        require_distinct_names,
    )
    from baton_handoff.contracts.protocol import protocols_of  # noqa: PLC0415

    require_distinct_names(package)
    contracts = contracts_of(package)
    unexported = {n: c for n, c in _defined(package) if n not in contracts}
    read = {
        "contracts": {name: canonical_form(contract) for name, contract in contracts.items()},
        "unexported": {name: canonical_form(contract) for name, contract in unexported.items()},
        "api": api_forms(api),
        "protocols": protocols_of(package),
        "descriptions": {
            name: {n: c.description for n, c in contract.to_schema().columns.items()}
            for name, contract in contracts.items()
        },
    }
    return {**unexported, **contracts}, api, read


def _defined(package: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield every contract that a module of the package defines, exported or not."""
    from baton_handoff.contracts.canonical import is_contract  # noqa: PLC0415

    inside = f"{package.__name__}."
    for module in [m for name, m in sys.modules.items() if f"{name}.".startswith(inside)]:
        for name, value in vars(module).items():
            if is_contract(value) and value.__module__ == module.__name__:
                yield name, value


def _problem(error: BaseException, source: Path) -> dict[str, Any]:
    """Describe an error by its reason and the innermost line of the tree that it comes from."""
    from baton_handoff.core.errors import HandoffError  # noqa: PLC0415

    places = [
        (Path(frame.filename), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(source)
    ]
    first = str(error).partition("\n")[0]
    reason = f"{type(error).__name__}: {first}" if first else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        places.append((Path(error.filename), error.lineno))
        if (error.text or "").startswith(("<<<<<<<", "=======", ">>>>>>>")):
            reason = "the file has conflict markers of git; resolve the conflict"
    elif isinstance(error, SystemExit | _Ended):
        call = str(error) if isinstance(error, _Ended) else f"sys.exit({error.code!r})"
        reason = f"the module ends the process with `{call}`; a contract must only define"
    elif isinstance(error, HandoffError):
        places, reason = [], str(error)
    file, line = places[-1] if places else (None, None)
    return {
        "kind": "use" if isinstance(error, HandoffError) else "import",
        "reason": reason,
        "file": file.relative_to(source).as_posix() if file else None,
        "line": line,
    }


def _own_streams() -> tuple[IO[str], IO[str]]:
    """Take the standard streams, so that a project can neither read requests nor write answers."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)  # what a project prints is no part of the answer
    return requests, answers


def _keep_running() -> None:
    """Let neither a crash nor a call to end the process go without a place in the code."""
    faulthandler.enable()

    def ended(code: int) -> NoReturn:
        raise _Ended(f"os._exit({code})")

    os._exit = ended  # type: ignore[assignment]
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_OUTPUT, _MOST_OUTPUT))


def _answer(answer: dict[str, Any], answers: IO[str]) -> None:
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
