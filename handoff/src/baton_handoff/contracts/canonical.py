"""The canonical form: a complete, ordered description of everything a contract enforces.

pandera's own serialisation drops checks that are written inside a contract, so two contracts that
differ there look alike. Here a built-in check is its name and arguments, any other its source.
"""

import ast
import dis
import importlib
import inspect
import pkgutil
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, ModuleType
from typing import Any, TypeAlias, TypeGuard

from pandera.api.base.checks import BaseCheck
from pandera.api.base.model_components import BaseCheckInfo, BaseParserInfo
from pandera.api.checks import Check
from pandera.api.dataframe.model import DataFrameModel

from baton_handoff.core.errors import HandoffError

Contract: TypeAlias = type[DataFrameModel[Any, Any]]
"""A data contract: a pandera model of either engine."""

_TYPES = {
    "int64": "integer",
    "float64": "number",
    "bool": "boolean",
    "boolean": "boolean",
    "string": "string",
    "str": "string",
    "string[pyarrow]": "string",
    "string[python]": "string",
    "date": "date",
}

_PARSING = threading.Lock()
"""Where two threads parse at once, Python 3.11 may lose count, and stops with a SystemError."""

_TABLE_OPTIONS = {
    "add_missing_columns": False,
    "drop_invalid_rows": False,
    "index": None,
    "unique_column_names": False,
}
_COLUMN_OPTIONS = {"default": None, "drop_invalid_rows": False, "regex": False}
_CHECK_OPTIONS = {
    "element_wise": False,
    "groupby": None,
    "groups": None,
    "ignore_na": True,
    "raise_warning": False,
}


def contracts_of(room: ModuleType) -> dict[str, Contract]:
    """The data contracts that a `contracts` package exports, by name."""
    return {name: value for name in room.__all__ if is_contract(value := getattr(room, name))}


def is_contract(value: object) -> TypeGuard[Contract]:
    """Whether something is a data contract: a pandera model that says which."""
    return inspect.isclass(value) and issubclass(value, DataFrameModel) and bool(metadata_of(value))


def require_distinct_names(room: ModuleType) -> None:
    """Make sure that no two modules of a `contracts` package state one name: which is meant?

    Raises:
        HandoffError: Two do.
    """
    stated: dict[str, str] = {}
    inside = pkgutil.walk_packages(getattr(room, "__path__", ()), f"{room.__name__}.")
    for module in (room, *(importlib.import_module(found.name) for found in inside)):
        for name, value in vars(module).items():
            if _is_stated(value) and value.__module__ == module.__name__:
                first = stated.setdefault(name, module.__name__)
                if first != module.__name__:
                    raise HandoffError(
                        f"{first} and {module.__name__} both state {name}: rename one of the two."
                    )


def _is_stated(value: object) -> bool:
    """Whether something is a data contract or a model contract."""
    of_a_model = inspect.isclass(value) and bool(getattr(value, "_is_protocol", False))
    return of_a_model or is_contract(value)


def metadata_of(contract: Contract) -> dict[str, Any]:
    """What `Config.metadata` of this very class says (version, producer, consumer, position)."""
    config = vars(contract).get("Config")
    return dict(getattr(config, "metadata", None) or {})


def contracts_at(room: ModuleType, position: str) -> list[Contract]:
    """The contracts that a `contracts` package exports for one position, input for example."""
    return [
        contract
        for contract in contracts_of(room).values()
        if metadata_of(contract).get("position") == position
    ]


def model_interface(room: ModuleType, *, require_columns: bool = True) -> tuple[Contract, Contract]:
    """Return the model's input contract and output contract, found by their position.

    Args:
        room: The project's `contracts` package.
        require_columns: Refuse an input contract without columns, as a new blank project has.

    Raises:
        HandoffError: The input contract has no columns, or a position has not exactly one contract.
    """
    input_contract, output_contract = (_the_one(room, p) for p in ("input", "output"))
    if require_columns and not input_contract.to_schema().columns:
        error = HandoffError(
            "There is no contract yet: `uv run handoff contract new FILE --target COLUMN` writes it"
            " from your table."
        )
        # Blank projects of the last release have a test that looks for this name of the command.
        error.add_note("once called new-contract")
        raise error
    return input_contract, output_contract


def border(room: ModuleType, *, begun: bool = True) -> tuple[Contract, Contract]:  # until 2.0
    """Old name of `model_interface`."""
    return model_interface(room, require_columns=begun)


def _the_one(room: ModuleType, position: str) -> Contract:
    contracts = contracts_at(room, position)
    if len(contracts) != 1:
        names = ", ".join(contract.__name__ for contract in contracts) or "none"
        raise HandoffError(
            f"{room.__name__} must have exactly one contract with the position {position!r};"
            f" it has {names}."
        )
    return contracts[0]


def canonical_form(contract: Contract) -> dict[str, Any]:
    """Describe a contract as plain data; equal forms enforce the same.

    Everything that is enforced is in it, nothing else but metadata: neither docstrings nor the
    order in which columns are declared change it.
    """
    return {
        "name": contract.__name__,
        "metadata": dict(sorted(metadata_of(contract).items())),
        **enforced(contract.to_schema()),
    }


def enforced(schema: Any) -> dict[str, Any]:
    """Describe what a contract's schema enforces."""
    return {
        "columns": {name: _column(schema.columns[name]) for name in sorted(schema.columns)},
        "checks": _checks(schema.checks),
        "unique": sorted(_listed(schema.unique)),
        "strict": schema.strict,
        "ordered": list(schema.columns) if schema.ordered else False,
        "coerce": schema.coerce,
        **_unusual(schema, _TABLE_OPTIONS),
        **_parsers(schema),
    }


def column_type(dtype: Any) -> str:
    """The engine-free name of a column's type: integer, number, boolean, string or timestamp."""
    name = str(dtype).lower()
    if name.startswith("datetime"):
        zone = getattr(dtype.type, "tz", None) or getattr(dtype.type, "time_zone", None)
        return f"timestamp[{zone}]" if zone else "timestamp"
    return _TYPES.get(name, name)


def _column(column: Any) -> dict[str, Any]:
    return {
        "type": column_type(column.dtype),
        "nullable": column.nullable,
        "required": column.required,
        "unique": column.unique,
        "coerce": column.coerce,
        "checks": _checks(column.checks),
        **_unusual(column, _COLUMN_OPTIONS),
        **_parsers(column),
    }


def _unusual(stated: object, usual: dict[str, Any]) -> dict[str, Any]:
    """The options that are not as pandera has them when nobody says anything."""
    options = {name: getattr(stated, name) for name in usual}
    return {name: _value(item) for name, item in options.items() if item != usual[name]}


def _parsers(stated: Any) -> dict[str, Any]:
    """What changes a table before it is checked, in the order in which it does."""
    parsers = [_source(parser._parser_fn) for parser in stated.parsers or []]
    return {"parsers": parsers} if parsers else {}


def _checks(checks: Iterable[BaseCheck]) -> list[dict[str, Any]]:
    forms = [_check(check) for check in checks]
    return sorted(forms, key=lambda form: (form["name"], repr(form)))


def built_in_check(check: Any) -> dict[str, Any] | None:
    """Return name and arguments of a check of pandera's, None for a project's own."""
    # By the function: a check of the project's own may have the name of a built-in one.
    name = getattr(check._check_fn, "__name__", "")
    if not Check.is_builtin_check(name):
        return None
    return {"name": name} | {key: _value(item) for key, item in (check.statistics or {}).items()}


def _check(check: Any) -> dict[str, Any]:
    form = built_in_check(check) or {"name": str(check.name), **_source(check._check_fn)}
    return {**form, **_unusual(check, _CHECK_OPTIONS)}


def _value(value: Any) -> Any:
    if isinstance(value, set | frozenset | list | tuple):
        return sorted(map(_value, value), key=repr)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _source(
    function: Callable[..., Any], within: tuple[Callable[..., Any], ...] = ()
) -> dict[str, Any]:
    """What a function does: its source, bare of words, types and layout, and what it uses.

    Args:
        function: The function.
        within: The functions that led here, so that those that call each other come to an end.
    """
    # What is written inside a contract, pandera wraps; the wrapper knows the original.
    wrapper = inspect.getclosurevars(function).nonlocals.get("self")
    if isinstance(wrapper, BaseCheckInfo):
        function = wrapper.check_fn
    elif isinstance(wrapper, BaseParserInfo):
        function = wrapper.parser_fn
    with _PARSING:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            # What a decorator says is in the check's options; types and names enforce nothing.
            node.decorator_list, node.returns = [], None
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        elif isinstance(node, ast.arg):
            node.annotation = None
    if isinstance(tree.body[0], ast.FunctionDef):
        tree.body[0].name = "rule"
    known = sorted(_outside(function).items())
    constants = {
        name: _value(value)
        for name, value in known
        if not (callable(value) or inspect.ismodule(value))
    }
    # What it calls of the project's own belongs to the rule as much as its own lines.
    room = function.__module__.partition(".")[0]
    helpers = {
        name: _source(value, (*within, function))
        for name, value in known
        if inspect.isfunction(value)
        and value.__module__.partition(".")[0] == room
        and value not in (*within, function)
    }
    form: dict[str, Any] = {"source": ast.unparse(tree)}
    if constants:
        form["constants"] = constants
    if helpers:
        form["helpers"] = helpers
    return form


def _outside(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function takes from outside, by name; what the functions within it take, too."""
    used = inspect.getclosurevars(function)
    known = {**used.globals, **used.nonlocals}
    for code in _inner(function.__code__):
        loaded = {
            step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"
        }
        known |= {name: value for name, value in function.__globals__.items() if name in loaded}
    return known


def _inner(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inner(constant)


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
