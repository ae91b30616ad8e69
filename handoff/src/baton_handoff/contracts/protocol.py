"""The model contract: the members of a Protocol, read and compared.

The producer implements it (data science), the consumer calls it (ML engineering). Its version is
its module's `__version__`: in the Protocol it would be a member that every model must have.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from baton_handoff.config.sides import DATA_SCIENCE, ML_ENGINEERING
from baton_handoff.contracts.changes import (
    ChangeKind,
    ContractChange,
    ContractComparison,
    Direction,
    Role,
    version_text,
)

_PARTIES: Mapping[Role, str] = {"producer": DATA_SCIENCE, "consumer": ML_ENGINEERING}


def protocols_of(room: ModuleType) -> dict[str, Any]:
    """Return version and members of every Protocol that a `contracts` package exports, by name."""
    return {
        name: {
            "version": getattr(inspect.getmodule(value), "__version__", None),
            "members": _members(value),
        }
        for name in room.__all__
        if inspect.isclass(value := getattr(room, name)) and getattr(value, "_is_protocol", False)
    }


def compare_protocol(
    name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> ContractComparison:
    """Compare two states of one Protocol, as `protocols_of` returns them; None if there is none."""
    return ContractComparison(
        contract=name,
        changes=tuple(_changes(name, before, after)),
        version_before=version_text(before["version"]) if before else None,
        version_after=version_text(after["version"]) if after else None,
        parties=_PARTIES,
        is_model=True,
    )


def _members(protocol: type) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for base in reversed(protocol.__mro__):
        if getattr(base, "_is_protocol", False):
            for name, kind in inspect.get_annotations(base).items():
                members[name] = {"type": _type(kind)}
            for name, member in vars(base).items():
                if inspect.isfunction(member) and (name == "__call__" or name[0] != "_"):
                    members[name] = _signature(member)
                elif isinstance(member, property):
                    members[name] = {"type": _return_type(member.fget)}
    return members


def _signature(method: Any) -> dict[str, Any]:
    parameters = [
        {
            # A caller can't write the name of a positional-only parameter.
            "name": "" if parameter.kind is parameter.POSITIONAL_ONLY else parameter.name,
            "kind": parameter.kind.description,
            "type": _type(parameter.annotation),
            "required": parameter.default is parameter.empty,
        }
        for parameter in list(inspect.signature(method).parameters.values())[1:]
    ]
    return {"parameters": parameters, "returns": _return_type(method)}


def _return_type(method: Any) -> str:
    prefix = "awaitable " if inspect.iscoroutinefunction(method) else ""
    return prefix + _type(inspect.signature(method).return_annotation)


def _type(annotation: Any) -> str:
    """Return a type without the modules of its parts: moving them changes nothing."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(\w+\.)+", "", text)


def _changes(
    name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Iterator[ContractChange]:
    if before is None or after is None:
        added = before is None
        kind = ChangeKind.CONTRACT_ADDED if added else ChangeKind.CONTRACT_REMOVED
        yield ContractChange(name, None, kind, Direction.COMPATIBLE if added else Direction.UNKNOWN)
        return
    members = before["members"], after["members"]
    for member in sorted({*members[0], *members[1]}):
        for difference in _member(*(state.get(member) for state in members)):
            yield ContractChange(name, member, *difference)


def _member(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterator[tuple[Any, ...]]:
    if old is None:
        yield ChangeKind.MEMBER_ADDED, Direction.TIGHTENS
    elif new is None:
        yield ChangeKind.MEMBER_REMOVED, Direction.LOOSENS
    elif set(old) != set(new):
        yield ChangeKind.MEMBER_KIND, Direction.UNKNOWN
    else:
        yield from _arguments(old.get("parameters", []), new.get("parameters", []))
        for key, kind in (("type", ChangeKind.TYPE), ("returns", ChangeKind.RETURNS)):
            if old.get(key) != new.get(key):
                yield kind, Direction.UNKNOWN, "", old[key], new[key]


def _arguments(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    for number in range(max(len(old), len(new))):
        one = old[number] if number < len(old) else None
        other = new[number] if number < len(new) else None
        name = (one or other or {})["name"] or f"number {number + 1}"
        if one is None:
            direction = Direction.BOTH if new[number]["required"] else Direction.TIGHTENS
            yield ChangeKind.ARGUMENT_ADDED, direction, name
        elif other is None:
            yield ChangeKind.ARGUMENT_REMOVED, Direction.LOOSENS, name
        else:
            for key in ("name", "kind", "type", "required"):
                if one[key] != other[key]:
                    direction = Direction.UNKNOWN
                    if key == "required":
                        # An optional argument that is required now: callers have to pass it.
                        direction = Direction.LOOSENS if other[key] else Direction.TIGHTENS
                    yield ChangeKind.ARGUMENT, direction, f"{name}, {key}", one[key], other[key]
