"""The canonical form: a complete, ordered description of everything a contract enforces.

pandera's own serialisation drops the checks that are written inside a contract. Here a built-in
check is described by its name and arguments, any other by its source.
"""

import ast
import importlib
import inspect
import pkgutil
import textwrap
import threading
from collections.abc import Callable, Iterable
from types import ModuleType
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
"""If two threads parse at once, Python 3.11 may miscount its recursion and raise a SystemError."""

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
    """Return the data contracts that a `contracts` package exports, by name."""
    return {name: value for name in room.__all__ if is_contract(value := getattr(room, name))}


def is_contract(value: object) -> TypeGuard[Contract]:
    """Whether something is a data contract: a pandera model with metadata."""
    return inspect.isclass(value) and issubclass(value, DataFrameModel) and bool(metadata_of(value))


def require_distinct_names(room: ModuleType) -> None:
    """Check that no two modules of a `contracts` package define a contract of the same name.

    Raises:
        HandoffError: Two do.
    """
    defined: dict[str, str] = {}
    inside = pkgutil.walk_packages(getattr(room, "__path__", ()), f"{room.__name__}.")
    for module in (room, *(importlib.import_module(found.name) for found in inside)):
        for name, value in vars(module).items():
            is_model = inspect.isclass(value) and getattr(value, "_is_protocol", False)
            if (is_model or is_contract(value)) and value.__module__ == module.__name__:
                first = defined.setdefault(name, module.__name__)
                if first != module.__name__:
                    raise HandoffError(
                        f"{first} and {module.__name__} both define {name}: rename one of the two."
                    )


def metadata_of(contract: Contract) -> dict[str, Any]:
    """Return `Config.metadata` of this class itself: version, producer, consumer, position."""
    config = vars(contract).get("Config")
    return dict(getattr(config, "metadata", None) or {})


def contracts_at(room: ModuleType, position: str) -> list[Contract]:
    """Return the contracts that a `contracts` package exports for one position, such as input."""
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
    interface = []
    for position in ("input", "output"):
        contracts = contracts_at(room, position)
        if len(contracts) != 1:
            names = ", ".join(contract.__name__ for contract in contracts) or "none"
            raise HandoffError(
                f"{room.__name__} must have exactly one contract with the position {position!r};"
                f" it has {names}."
            )
        interface += contracts
    input_contract, output_contract = interface
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


def canonical_form(contract: Contract) -> dict[str, Any]:
    """Describe a contract as plain data; contracts with equal forms enforce the same.

    The form holds everything that is enforced, and the metadata. Docstrings and the order in which
    columns are declared don't change it.
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
    """Return a column's type, the same for all engines: integer, number, string, timestamp[UTC]."""
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


def _unusual(schema: object, usual: dict[str, Any]) -> dict[str, Any]:
    """Return the options that differ from pandera's defaults."""
    options = {name: getattr(schema, name) for name in usual}
    return {name: _value(item) for name, item in options.items() if item != usual[name]}


def _parsers(schema: Any) -> dict[str, Any]:
    """Return the parsers, which change a table before it is checked, in their order."""
    parsers = [_source(parser._parser_fn) for parser in schema.parsers or []]
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
    function: Callable[..., Any], callers: tuple[Callable[..., Any], ...] = ()
) -> dict[str, Any]:
    """Describe a function by its code and by what the code uses of its module.

    Docstrings, annotations, decorators and layout are left out: they enforce nothing.

    Args:
        function: The function.
        callers: The functions that led here; a recursion ends with them.
    """
    # pandera wraps what is written inside a contract; the wrapper knows the original.
    wrapper = inspect.getclosurevars(function).nonlocals.get("self")
    if isinstance(wrapper, BaseCheckInfo):
        function = wrapper.check_fn
    elif isinstance(wrapper, BaseParserInfo):
        function = wrapper.parser_fn
    with _PARSING:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list, node.returns = [], None
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        elif isinstance(node, ast.arg):
            node.annotation = None
    if isinstance(tree.body[0], ast.FunctionDef):
        tree.body[0].name = "rule"
    # Also those that only a function inside the function uses.
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used = {name: value for name, value in function.__globals__.items() if name in names}
    used |= inspect.getclosurevars(function).nonlocals
    package = function.__module__.partition(".")[0]
    constants, helpers = {}, {}
    for name, value in sorted(used.items()):
        if inspect.isfunction(value):
            own = value.__module__.partition(".")[0] == package
            if own and value not in (*callers, function):
                helpers[name] = _source(value, (*callers, function))
        elif not (callable(value) or inspect.ismodule(value)):
            constants[name] = _value(value)
    parts = {"constants": constants, "helpers": helpers}
    return {"source": ast.unparse(tree)} | {key: part for key, part in parts.items() if part}


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
