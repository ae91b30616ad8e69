"""The canonical form: a complete, ordered description of everything a contract enforces.

pandera's own serialisation drops the checks that are written inside a contract. Here a built-in
check is described by its name and arguments, any other by its source.
"""

import importlib
import inspect
import json
import pkgutil
import warnings
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from types import ModuleType
from typing import Any, Literal, TypeAlias, TypeGuard

from pandera.api.base.checks import BaseCheck
from pandera.api.base.model_components import BaseCheckInfo, BaseParserInfo
from pandera.api.checks import Check
from pandera.api.dataframe.model import DataFrameModel
from pandera.api.function_dispatch import Dispatcher
from pandera.errors import SchemaWarning

from baton_handoff.contracts.code_syntax import closure
from baton_handoff.contracts.dependencies import Dependencies
from baton_handoff.contracts.text_patterns import use_whole_patterns
from baton_handoff.core.errors import HandoffError

use_whole_patterns()
# pandera's warnings about drafted rules quote values of the rows. The filter is one for the whole
# process, because those of `warnings.catch_warnings` mix up between the threads of the service.
warnings.filterwarnings("ignore", category=SchemaWarning)

Engine: TypeAlias = Literal["pandas", "polars"]

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

_UNENFORCED = {
    *("name", "title", "description", "metadata", "report_duplicates", "error", "strategy"),
    *("n_failure_cases", "statistics", "statistics_args", "constraint", "determined_by_unique"),
    *("from_format", "from_format_kwargs", "to_format", "to_format_kwargs", "to_format_buffer"),
    *("IS_INFERRED", "is_built_in"),
}
"""Attributes of pandera's schemas and checks that don't decide which tables are accepted."""

_NO_OPTIONS = {"check_fn", "check_kwargs"}
_MULTI_INDEX = {"indexes", "dtype", "checks", "parsers", "columns", "index", "required", "nullable"}
_PARSER_OPTIONS = {"element_wise": False, "ignore_na": False}
_UNSET = object()


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
    dependencies = Dependencies(contract.__module__, _form_of_contract)
    with dependencies.within(contract):
        return {
            "name": contract.__name__,
            "metadata": dict(sorted(metadata_of(contract).items())),
            **_enforced(contract, dependencies),
        }


def _form_of_contract(kind: type, dependencies: Dependencies) -> dict[str, Any] | None:
    """Describe a contract that a check reads; None for any other class."""
    is_model = issubclass(kind, DataFrameModel) and kind.__fields__ is not None
    return _enforced(kind, dependencies) if is_model else None


def _enforced(contract: Contract, dependencies: Dependencies) -> dict[str, Any]:
    schema = contract.to_schema()
    form = {
        "engine": engine_of(contract),
        "columns": {
            name: _column(schema.columns[name], dependencies) for name in sorted(schema.columns)
        },
        **_checks(schema.checks, dependencies),
        "unique": sorted(
            [schema.unique] if isinstance(schema.unique, str) else schema.unique or []
        ),
        "strict": schema.strict,
        "ordered": list(schema.columns) if schema.ordered else False,
        "coerce": schema.coerce,
        **_parsers(schema, dependencies),
    }
    form |= _unusual(schema, _defaults(schema.__class__), {*form, "index"}, dependencies)
    if schema.index is not None:
        form["index"] = _index(schema.index, dependencies)
    for name in ("validate", "to_schema"):
        # A contract may enforce more by a method of its own.
        method = dependencies.value(getattr(contract, name).__func__)
        if not isinstance(method, str):
            form[name] = method
    return form


def engine_of(contract: Contract) -> Engine:
    """Return the engine of a contract's tables."""
    # By name: a project for pandas has no polars to import.
    modules = {base.__module__ for base in contract.__mro__}
    return "polars" if "pandera.api.polars.model" in modules else "pandas"


def column_type(dtype: Any) -> str:
    """Return a column's type, the same for all engines: integer, number, string, timestamp[UTC]."""
    name = str(dtype).lower()
    if name.startswith("datetime"):
        zone = getattr(dtype.type, "tz", None) or getattr(dtype.type, "time_zone", None)
        return f"timestamp[{zone}]" if zone else "timestamp"
    # The categories of an enumeration are described beside the type.
    return _TYPES.get(name, name.partition("(categories=")[0])


def _column(column: Any, dependencies: Dependencies) -> dict[str, Any]:
    form = {
        "type": column_type(column.dtype),
        "dtype": str(column.dtype),
        "nullable": column.nullable,
        "required": getattr(column, "required", True),
        "unique": column.unique,
        "coerce": column.coerce,
        **_checks(column.checks, dependencies),
        **_parsers(column, dependencies),
    }
    if (categories := getattr(column.dtype, "categories", None)) is not None:
        ordered = getattr(column.dtype, "ordered", False)
        form["categories"] = list(categories) if ordered else sorted(categories, key=repr)
        form["dtype"] = f"{'ordered ' * bool(ordered)}{type(column.dtype).__name__.lower()}"
    if getattr(column.dtype, "time_zone_agnostic", False):
        form["dtype"] += " of any time zone"
    # A type of the project's own, or the pydantic model of a row, is code that enforces.
    kinds = (type(column.dtype), getattr(column.dtype, "type", None))
    code = [dependencies.value(kind) for kind in kinds if isinstance(kind, type)]
    if own := [part for part in code if not isinstance(part, str)]:
        form["dtype_code"] = own
    return form | _unusual(column, _defaults(column.__class__), set(form), dependencies)


def _index(index: Any, dependencies: Dependencies) -> dict[str, Any]:
    """Describe an index of one level or several, each like a column."""
    levels = getattr(index, "indexes", None)
    form: dict[str, Any] = {}
    if levels is not None:
        unusual = _unusual(index, {}, _MULTI_INDEX, dependencies)
        form = {key: value for key, value in unusual.items() if value not in (None, False, [])}
    return {
        **form,
        "levels": [
            {"name": level.name, **_column(level, dependencies)} for level in (levels or [index])
        ],
    }


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    """Return the options of a schema or a column for which nothing is stated."""
    try:
        return dict(vars(kind()))
    except TypeError:
        return dict(vars(kind(int)))


def _unusual(
    schema: object, usual: Mapping[str, Any], known: set[str], dependencies: Dependencies
) -> dict[str, Any]:
    """Return the options that differ from pandera's defaults, whatever options there are."""
    form = {}
    for name, item in vars(schema).items():
        option = name.lstrip("_")
        if option not in known | _UNENFORCED and not _same(item, usual.get(name, _UNSET)):
            form[option] = dependencies.value(item)
    return form


def _same(one: object, other: object) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))


def _parsers(schema: Any, dependencies: Dependencies) -> dict[str, Any]:
    """Return the parsers, which change a table before it is checked, in their order."""
    parsers = [
        _function(parser._parser_fn, dependencies)
        | _unusual(parser, _PARSER_OPTIONS, {"parser_fn"}, dependencies)
        for parser in schema.parsers or []
    ]
    return {"parsers": parsers} if parsers else {}


def _checks(
    checks: Iterable[BaseCheck], dependencies: Dependencies
) -> dict[str, list[dict[str, Any]]]:
    """Return the checks that refuse, and as `drafts` those that only warn (`raise_warning`)."""
    forms = [_check(check, dependencies) for check in checks]
    forms.sort(key=lambda form: (form["name"], json.dumps(form, sort_keys=True)))
    drafts = [form for form in forms if form.pop("raise_warning", False)]
    refusing = [form for form in forms if not any(form is draft for draft in drafts)]
    return {"checks": refusing} | ({"drafts": drafts} if drafts else {})


def built_in_check(check: Any) -> dict[str, Any] | None:
    """Return name and arguments of a check of pandera's, None for a project's own."""
    # By the function: a check of the project's own may have the name of a built-in one.
    if not isinstance(check._check_fn, Dispatcher):
        return None
    return {"name": check._check_fn.__name__} | {
        key: _argument(v) for key, v in (check.statistics or {}).items()
    }


def _check(check: Any, dependencies: Dependencies) -> dict[str, Any]:
    form, known = built_in_check(check), {*_NO_OPTIONS, "native"}
    if form is None:
        known = _NO_OPTIONS
        form = {"name": str(check.name), **_function(check._check_fn, dependencies)}
        if check._check_kwargs:
            form["arguments"] = dependencies.value(check._check_kwargs)
    usual = vars(Check(bool)) if type(check) is Check else {}
    return {**form, **_unusual(check, usual, known, dependencies)}


def _function(function: Any, dependencies: Dependencies) -> dict[str, Any]:
    """Describe the function of a check or parser; pandera wraps those inside a contract."""
    kept = closure(function) if inspect.isfunction(function) else {}
    wrapper = kept.get("self")
    if isinstance(wrapper, BaseCheckInfo):
        function = wrapper.check_fn
    elif isinstance(wrapper, BaseParserInfo):
        function = wrapper.parser_fn
    else:
        return dependencies.checked(function)
    return dependencies.checked(getattr(function, "__func__", function), kept.get("model_cls"))


def _argument(value: Any) -> Any:
    """Return an argument of a built-in check as plain data; of several values, any order."""
    if hasattr(value, "tolist"):  # numpy, pandas
        value = value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return sorted(map(_argument, value), key=repr)
    if isinstance(value, Enum):
        return _argument(value.value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
