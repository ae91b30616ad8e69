"""The borders of `features/`: functions whose types say which contracts they take and give."""

import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from baton_handoff.contracts.canonical import Contract, is_contract
from baton_handoff.core.errors import HandoffError


@dataclass(frozen=True)
class Kind:
    """What a border takes or gives: `DataFrame[Flights]`, or something else made of one contract.

    Attributes:
        holder: What holds the rows, `DataFrame` for example.
        contract: The contract that they meet.
    """

    holder: Any
    contract: Contract

    def __str__(self) -> str:
        return f"{self.holder.__name__}[{self.contract.__name__}]"


@dataclass(frozen=True)
class Border:
    """A function that `features/` exports, and that can be called with nothing but tables."""

    function: Callable[..., Any]
    takes: tuple[tuple[str, Kind], ...]
    gives: Kind

    def __call__(self, given: Sequence[Any]) -> Any:
        """Call it with what it takes, in that order."""
        bound = inspect.signature(self.function).bind_partial()
        bound.arguments.update(
            {name: one for (name, _), one in zip(self.takes, given, strict=True)}
        )
        return self.function(*bound.args, **bound.kwargs)


@dataclass(frozen=True)
class Way:
    """How something is made: by a border from what it takes, or a table that is there.

    Attributes:
        kind: What is made.
        border: What makes it, None where it is a table that nothing in `features/` makes.
        inputs: How what the border takes is made.
    """

    kind: Kind
    border: Border | None = None
    inputs: tuple["Way", ...] = ()

    @property
    def begins_with(self) -> tuple[Contract, ...]:
        """The contracts of the tables that it begins with."""
        if self.border is None:
            return (self.kind.contract,)
        return tuple(dict.fromkeys(c for one in self.inputs for c in one.begins_with))


def borders_of(room: ModuleType) -> list[Border]:
    """The borders among what a `features` package exports, in that order."""
    names = getattr(room, "__all__", [name for name in vars(room) if name[0] != "_"])
    exported = (getattr(room, name) for name in names)
    found = (_border(one) for one in exported if inspect.isroutine(one))
    return [border for border in found if border]


def way_to(kind: Kind, borders: Sequence[Border], within: tuple[Border, ...] = ()) -> Way:
    """How something is made, all the way from the tables that no border makes.

    Args:
        kind: What is to be made.
        borders: What there is to make it; the first that fits is taken.
        within: The borders that led here: none takes part in making what it takes.

    Raises:
        HandoffError: Nothing makes what is needed on the way, and it is no table.
    """
    for border in borders:
        if border.gives == kind and border not in within:
            inputs = [way_to(needed, borders, (*within, border)) for _, needed in border.takes]
            return Way(kind, border, tuple(inputs))
    if kind.holder.__name__ != "DataFrame":
        raise HandoffError(f"no function that `features/` exports gives {kind}")
    return Way(kind)


def _border(function: Callable[..., Any]) -> Border | None:
    """A function as a border, None if its types don't say what it needs."""
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
    takes = tuple((name, kind) for name in needed if (kind := kinds.get(name)))
    gives = kinds.get("return")
    return Border(function, takes, gives) if gives and len(takes) == len(needed) else None


def _kind(hint: Any) -> Kind | None:
    holder, inside = typing.get_origin(hint), typing.get_args(hint)
    if inspect.isclass(holder) and len(inside) == 1 and is_contract(inside[0]):
        return Kind(holder, inside[0])
    return None
