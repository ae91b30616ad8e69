"""The interfaces of `features/`: functions with tables of contracts as inputs and output."""

import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from baton_handoff.contracts.canonical import Contract, is_contract
from baton_handoff.core.errors import HandoffError


@dataclass(frozen=True)
class TableType:
    """A type with one contract as its parameter, for example `DataFrame[Flights]`.

    Attributes:
        holder: The class that holds the rows, for example `DataFrame`.
        contract: The contract of the rows.
    """

    holder: Any
    contract: Contract

    def __str__(self) -> str:
        return f"{self.holder.__name__}[{self.contract.__name__}]"


@dataclass(frozen=True)
class FeatureInterface:
    """A function that `features/` exports and that needs no arguments but tables.

    Attributes:
        function: The function.
        inputs: The names and types of its required parameters.
        output: The type of its result.
    """

    function: Callable[..., Any]
    inputs: tuple[tuple[str, TableType], ...]
    output: TableType

    def __call__(self, tables: Sequence[Any]) -> Any:
        """Call the function with a table for each input, in their order."""
        bound = inspect.signature(self.function).bind_partial()
        names = (name for name, _ in self.inputs)
        bound.arguments.update(zip(names, tables, strict=True))
        return self.function(*bound.args, **bound.kwargs)


@dataclass(frozen=True)
class Derivation:
    """How a table is made: by an interface from other tables, or not at all: it is given.

    Attributes:
        type: The type of the table.
        interface: The interface that returns it, None for a given table.
        inputs: The derivation of each input of the interface.
    """

    type: TableType
    interface: FeatureInterface | None = None
    inputs: tuple["Derivation", ...] = ()

    @property
    def base_contracts(self) -> tuple[Contract, ...]:
        """The contracts of the given tables that it starts from."""
        if self.interface is None:
            return (self.type.contract,)
        return tuple(dict.fromkeys(c for step in self.inputs for c in step.base_contracts))


def feature_interfaces(room: ModuleType) -> list[FeatureInterface]:
    """The interfaces among the exports of a `features` package, in their order."""
    names = getattr(room, "__all__", [name for name in vars(room) if name[0] != "_"])
    exported = (getattr(room, name) for name in names)
    found = (_interface(one) for one in exported if inspect.isroutine(one))
    return [interface for interface in found if interface]


def derivation_of(
    table: TableType,
    interfaces: Sequence[FeatureInterface],
    within: tuple[FeatureInterface, ...] = (),
) -> Derivation:
    """Find how a table is made from given tables, by interfaces that do not make their own input.

    Raises:
        HandoffError: No interface returns what a step needs, and it is not a plain table.
    """
    for interface in interfaces:
        if interface.output == table and interface not in within:
            inputs = [
                derivation_of(t, interfaces, (*within, interface)) for _, t in interface.inputs
            ]
            return Derivation(table, interface, tuple(inputs))
    # The golden rows contain plain tables only, for example no fitted encoder.
    if table.holder.__name__ != "DataFrame":
        raise HandoffError(f"no function that `features/` exports returns {table}")
    return Derivation(table)


def _interface(function: Callable[..., Any]) -> FeatureInterface | None:
    """A function as an interface, None if its types don't tell its inputs and its output."""
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError):  # types imported for the type checker only, or none at all
        return None
    types = {name: table for name, hint in hints.items() if (table := _table_type(hint))}
    parameters = inspect.signature(function).parameters.items()
    required = [name for name, parameter in parameters if parameter.default is parameter.empty]
    if "return" not in types or not types.keys() >= set(required):
        return None
    return FeatureInterface(function, tuple((n, types[n]) for n in required), types["return"])


def _table_type(hint: Any) -> TableType | None:
    holder, parameters = typing.get_origin(hint), typing.get_args(hint)
    if inspect.isclass(holder) and len(parameters) == 1 and is_contract(parameters[0]):
        return TableType(holder, parameters[0])
    return None
