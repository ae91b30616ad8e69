"""The types of observed values, as annotations of a function."""

import builtins
import datetime as dt
import dis
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from baton_handoff.contracts.canonical import Contract, contracts_of, engine_of
from baton_handoff.contracts.validation import ContractViolation, check

_MOST = 3
"""The number of different types up to which they are listed."""

_CALLS = 100
"""The number of calls of a function that are observed."""

_RETURNS = {dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap}

_NUMPY = {np.bool_: "bool", np.integer: "int", np.floating: "float", np.str_: "str"}
_SERIES = {"b": "bool", "f": "float", "i": "int", "u": "int", "M": "pd.Timestamp"}


class Annotation(NamedTuple):
    """A type as code, with the imports that it needs."""

    code: str
    imports: frozenset[str] = frozenset()


def annotation(  # noqa: PLR0911 - one `case` a kind
    value: object, contracts: Mapping[str, Contract] | None = None
) -> Annotation:
    """The type of a value; of a table, the contract of its columns that accepts it.

    Args:
        value: The value.
        contracts: The contracts by import statement.
    """
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    match value:
        case None:
            return Annotation("None")
        case pd.DataFrame():
            return _by_contract(value, contracts or {}) or _of(
                "pd.DataFrame", "import pandas as pd"
            )
        case pd.Series():
            of = _SERIES.get(value.dtype.kind, "str" if value.dtype == "str" else "Any")
            imports = ["import pandas as pd", *["from typing import Any"] * (of == "Any")]
            return _of(f'"pd.Series[{of}]"', *imports)
        case np.ndarray():
            imports = ["import numpy as np", "from numpy.typing import NDArray"]
            return _of(f"NDArray[np.{value.dtype.type.__name__}]", *imports)
        case np.generic():
            named = (name for base, name in _NUMPY.items() if isinstance(value, base))
            return Annotation(next(named, "float"))
        case pd.Timestamp() | pd.Timedelta():
            return _of(f"pd.{kind.__name__}", "import pandas as pd")
        case dt.date() | dt.time() | dt.timedelta():
            return _of(f"datetime.{kind.__name__}", "import datetime")
        case PurePath():
            return _of("Path", "from pathlib import Path")
        case dict():
            return _generic(
                "dict", union(map(annotation, value)), union(map(annotation, value.values()))
            )
        case list() | set() | frozenset():
            return _generic(kind.__name__, union(map(annotation, value)))
        case tuple():
            return _generic("tuple", *map(annotation, value))
    if package == "polars":
        found = _by_contract(value, contracts or {}) if kind.__name__ == "DataFrame" else None
        return found or _of(f"pl.{kind.__name__}", "import polars as pl")
    # Functions and modules have types without a name.
    return Annotation(kind.__name__) if getattr(builtins, kind.__name__, None) is kind else _ANY


def union(found: Iterable[Annotation]) -> Annotation:
    """One type for several."""
    # One of them may be a union itself.
    distinct = {
        one._replace(code=code)
        for one in found
        for code in ([one.code] if "[" in one.code else one.code.split(" | "))
    }
    codes = {one.code for one in distinct}
    # The elements of an empty list are of any type.
    empty = {
        code
        for code in codes
        if code.endswith("[Any]") and any(one.startswith(code[:-4]) for one in codes - {code})
    }
    dropped = empty | ({"int"} if "float" in codes else set())
    kept = sorted(one for one in distinct if one.code not in dropped)
    if not kept or len(kept) > _MOST or _ANY in kept:
        return _ANY
    kept.sort(key=lambda one: one.code == "None")
    imports = frozenset[str]().union(*(one.imports for one in kept))
    return Annotation(" | ".join(one.code for one in kept), imports)


def contracts_by_import(package: str) -> dict[str, Contract]:
    """The contracts of a package, by the statement that imports each; none if that fails."""
    try:
        room = __import__(f"{package}.contracts", fromlist=["_"])
        __import__(f"{package}.contracts.engine", fromlist=["DataFrame"]).DataFrame  # noqa: B018
        return {
            f"from {package}.contracts import {name}": contract
            for name, contract in contracts_of(room).items()
        }
    except Exception:  # noqa: BLE001 - the project's own code; without contracts types are plainer
        return {}


Signatures = dict[str, tuple[dict[str, Annotation], Annotation]]
"""The types of the parameters and of the result, by the name of a function."""


@contextmanager
def observing(
    name_of: Callable[[CodeType], str | None], contracts: Mapping[str, Contract] | None = None
) -> Iterator[Signatures]:
    """Observe the types with which functions are called in a block, in its new threads as well.

    Args:
        name_of: The name of the function with some code, None for a function of no interest.
        contracts: The contracts that tables may have, by import statement.
    """
    given: dict[str, dict[str, set[Annotation]]] = {}
    returned: dict[str, set[Annotation]] = {}
    calls: Counter[str] = Counter()

    def observe(frame: FrameType, event: str, value: Any) -> None:
        code = frame.f_code
        if event not in ("call", "return") or (name := name_of(code)) is None:
            return
        if event == "call":
            calls[name] += 1
        if calls[name] > _CALLS:
            return
        if event == "call":
            count = code.co_argcount + code.co_kwonlyargcount
            for one in code.co_varnames[:count]:
                kinds = given.setdefault(name, {}).setdefault(one, set())
                kinds.add(annotation(frame.f_locals[one], contracts))
        # An exception that leaves a function is reported as a result as well.
        elif code.co_code[frame.f_lasti] in _RETURNS:
            returned.setdefault(name, set()).add(annotation(value, contracts))

    signatures: Signatures = {}
    before = sys.getprofile()
    threading.setprofile(observe)
    sys.setprofile(observe)
    try:
        yield signatures
    finally:
        sys.setprofile(before)
        threading.setprofile(before)
        for name in calls:
            types = {one: union(kinds) for one, kinds in given.get(name, {}).items()}
            signatures[name] = types, union(returned.get(name, ()))


_ANY = Annotation("Any", frozenset({"from typing import Any"}))


def _of(code: str, *imports: str) -> Annotation:
    return Annotation(code, frozenset(imports))


def _generic(name: str, *parts: Annotation) -> Annotation:
    imports = frozenset[str]().union(*(part.imports for part in parts))
    return Annotation(f"{name}[{', '.join(part.code for part in parts) or '()'}]", imports)


def _by_contract(table: Any, contracts: Mapping[str, Contract]) -> Annotation | None:
    engine = "pandas" if isinstance(table, pd.DataFrame) else "polars"
    for statement, contract in contracts.items():
        columns = contract.to_schema().columns
        if engine_of(contract) == engine and [*columns] == [*table.columns]:
            try:
                check(contract, table)
            except ContractViolation:
                continue
            package, _, name = statement.removeprefix("from ").rpartition(" import ")
            return _of(f"DataFrame[{name}]", statement, f"from {package}.engine import DataFrame")
    return None
