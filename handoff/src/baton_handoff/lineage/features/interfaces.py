"""The interfaces of `features/`: functions whose types say which contracts they take and give."""

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
    """The type of a table: `DataFrame[Flights]`, or another holder of the rows of one contract.

    Attributes:
        holder: What holds the rows, `DataFrame` for example.
        contract: The contract that they meet.
    """

    holder: Any
    contract: Contract

    def __str__(self) -> str:
        return f"{self.holder.__name__}[{self.contract.__name__}]"


@dataclass(frozen=True)
class FeatureInterface:
    """A function that `features/` exports, and that can be called with nothing but tables."""

    function: Callable[..., Any]
    inputs: tuple[tuple[str, TableType], ...]
    output: TableType

    def __call__(self, given: Sequence[Any]) -> Any:
        """Call it with what it takes, in that order."""
        bound = inspect.signature(self.function).bind_partial()
        bound.arguments.update(
            {name: one for (name, _), one in zip(self.inputs, given, strict=True)}
        )
        return self.function(*bound.args, **bound.kwargs)


@dataclass(frozen=True)
class Derivation:
    """How something is made: by an interface from what it takes, or a table that is there.

    Attributes:
        kind: What is made.
        interface: What makes it, None where it is a table that nothing in `features/` makes.
        inputs: How what the interface takes is made.
    """

    kind: TableType
    interface: FeatureInterface | None = None
    inputs: tuple["Derivation", ...] = ()

    @property
    def begins_with(self) -> tuple[Contract, ...]:
        """The contracts of the tables that it begins with."""
        if self.interface is None:
            return (self.kind.contract,)
        return tuple(dict.fromkeys(c for one in self.inputs for c in one.begins_with))


def feature_interfaces(room: ModuleType) -> list[FeatureInterface]:
    """The interfaces among what a `features` package exports, in that order."""
    names = getattr(room, "__all__", [name for name in vars(room) if name[0] != "_"])
    exported = (getattr(room, name) for name in names)
    found = (_interface(one) for one in exported if inspect.isroutine(one))
    return [interface for interface in found if interface]


def derivation_of(
    kind: TableType,
    interfaces: Sequence[FeatureInterface],
    within: tuple[FeatureInterface, ...] = (),
) -> Derivation:
    """How something is made, all the way from the tables that no interface makes.

    Args:
        kind: What is to be made.
        interfaces: What there is to make it; the first that fits is taken.
        within: The interfaces that led here: none takes part in making what it takes.

    Raises:
        HandoffError: Nothing makes what is needed on the way, and it is no table.
    """
    for interface in interfaces:
        if interface.output == kind and interface not in within:
            inputs = [
                derivation_of(needed, interfaces, (*within, interface))
                for _, needed in interface.inputs
            ]
            return Derivation(kind, interface, tuple(inputs))
    if kind.holder.__name__ != "DataFrame":
        raise HandoffError(f"no function that `features/` exports gives {kind}")
    return Derivation(kind)


def _interface(function: Callable[..., Any]) -> FeatureInterface | None:
    """A function as an interface, None if its types don't say what it needs."""
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError):  # imported for the type checker only, or no types at all
        return None
    kinds = {name: _kind(hint) for name, hint in hints.items()}
    needed = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
    ]
    inputs = tuple((name, kind) for name in needed if (kind := kinds.get(name)))
    output = kinds.get("return")
    return (
        FeatureInterface(function, inputs, output)
        if output and len(inputs) == len(needed)
        else None
    )


def _kind(hint: Any) -> TableType | None:
    holder, inside = typing.get_origin(hint), typing.get_args(hint)
    if inspect.isclass(holder) and len(inside) == 1 and is_contract(inside[0]):
        return TableType(holder, inside[0])
    return None
