"""The canonical form: a complete, ordered description of everything a contract enforces.

pandera's own serialisation drops checks that are written inside a contract, so two contracts that
differ there look alike. Here a built-in check is its name and arguments, any other its source.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, TypeAlias

from pandera.api.base.checks import BaseCheck
from pandera.api.checks import Check
from pandera.api.dataframe.model import DataFrameModel

from baton_handoff.errors import HandoffError

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


def contracts_of(room: ModuleType) -> dict[str, Contract]:
    """The data contracts that a `contracts` package exports, by name."""
    return {
        name: value
        for name in room.__all__
        if inspect.isclass(value := getattr(room, name))
        and issubclass(value, DataFrameModel)
        and metadata_of(value)
    }


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


def border(room: ModuleType, *, begun: bool = True) -> tuple[Contract, Contract]:
    """The model's border: its input contract and its output contract, known by their position.

    Args:
        room: The project's `contracts` package.
        begun: The contracts must have columns; a new blank project's have none yet.

    Raises:
        HandoffError: There is no contract yet, or a position is not held by exactly one.
    """
    takes, gives = (_the_one(room, position) for position in ("input", "output"))
    if begun and not takes.to_schema().columns:
        raise HandoffError(
            "There is no contract yet: `uv run poe new-contract FILE --target COLUMN` writes it"
            " from your table."
        )
    return takes, gives


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
    schema = contract.to_schema()
    return {
        "name": contract.__name__,
        "metadata": dict(sorted(metadata_of(contract).items())),
        "columns": {name: _column(schema.columns[name]) for name in sorted(schema.columns)},
        "checks": _checks(schema.checks),
        "unique": sorted(_listed(schema.unique)),
        "strict": schema.strict,
        "ordered": list(schema.columns) if schema.ordered else False,
        "coerce": schema.coerce,
    }


def column_type(dtype: object) -> str:
    """The engine-free name of a column's type: integer, number, boolean, string or timestamp."""
    name = str(dtype).lower()
    if name.startswith("datetime"):
        return "timestamp[UTC]" if "utc" in name else "timestamp"
    return _TYPES.get(name, name)


def _column(column: Any) -> dict[str, Any]:
    return {
        "type": column_type(column.dtype),
        "nullable": column.nullable,
        "required": column.required,
        "unique": column.unique,
        "coerce": column.coerce,
        "checks": _checks(column.checks),
    }


def _checks(checks: Iterable[BaseCheck]) -> list[dict[str, Any]]:
    forms = [_check(check) for check in checks]
    return sorted(forms, key=lambda form: (form["name"], repr(form)))


def _check(check: BaseCheck) -> dict[str, Any]:
    name = str(check.name)
    if Check.is_builtin_check(name):
        arguments = check.statistics or {}
        return {"name": name, **{key: _value(item) for key, item in arguments.items()}}
    return {"name": name, "source": _source(check._check_fn)}  # type: ignore[attr-defined]


def _value(value: Any) -> Any:
    if isinstance(value, set | frozenset | list | tuple):
        return sorted(map(_value, value), key=repr)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _source(function: Callable[..., Any]) -> str:
    """A function's source without its docstring, comments and layout."""
    function = inspect.unwrap(getattr(function, "func", function))
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
