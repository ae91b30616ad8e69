"""The model contract: the members of a Protocol, read and judged.

Who implements it (data science) produces, who calls it (ML engineering) consumes. Its version is
its module's `__version__`: in the Protocol itself it would be a member that every model must have.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from baton_handoff.config.sides import DATA_SCIENCE, ML_ENGINEERING
from baton_handoff.contracts.compatibility import (
    Change,
    ContractComparison,
    Direction,
    Role,
    version,
)

_PARTIES: Mapping[Role, str] = {"producer": DATA_SCIENCE, "consumer": ML_ENGINEERING}


def protocols_of(room: ModuleType) -> dict[str, Any]:
    """Version and members of every Protocol that a `contracts` package exports, by name."""
    return {
        name: {
            "version": getattr(inspect.getmodule(stated), "__version__", None),
            "members": _members(stated),
        }
        for name in room.__all__
        if inspect.isclass(stated := getattr(room, name)) and getattr(stated, "_is_protocol", False)
    }


def compare_protocol(
    name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> ContractComparison:
    """Judge what became of one Protocol; None is for one that was not, or is no longer there."""
    members = [state and state["members"] for state in (before, after)]
    changes = tuple(_changes(name, *members))
    return ContractComparison(
        contract=name,
        changes=changes,
        was=version(before["version"]) if before else None,
        now=version(after["version"]) if after else None,
        parties=_PARTIES,
        says='__version__ = "{}" in its module',
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
                    members[name] = {"type": _answer(member.fget)}
    return members


def _signature(method: Any) -> dict[str, Any]:
    signature = inspect.signature(method)
    parameters = [
        {
            # A caller never writes the name of a positional-only parameter.
            "name": "" if parameter.kind is parameter.POSITIONAL_ONLY else parameter.name,
            "kind": parameter.kind.description,
            "type": _type(parameter.annotation),
            "required": parameter.default is parameter.empty,
        }
        for parameter in list(signature.parameters.values())[1:]
    ]
    return {"parameters": parameters, "returns": _answer(method)}


def _answer(method: Any) -> str:
    waits = "awaitable " if inspect.iscoroutinefunction(method) else ""
    return waits + _type(inspect.signature(method).return_annotation)


def _type(annotation: Any) -> str:
    """A type without the modules its parts live in: moving them changes nothing."""
    said = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(\w+\.)+", "", said)


def _changes(
    name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Iterator[Change]:
    def change(member: str | None, what: str, direction: Direction, *values: Any) -> Change:
        was, now = values or (None, None)
        return Change(name, member, what, was, now, direction, direction.breaks)

    if before is None or after is None:
        gone = after is None
        direction = Direction.UNKNOWN
        what = "model contract removed" if gone else "new model contract"
        yield Change(name, None, what, None, None, direction, direction.breaks if gone else ())
        return
    for member in sorted({*before, *after}):
        was, now = before.get(member), after.get(member)
        if was is None:
            yield change(member, "new member", Direction.TIGHTENS)
        elif now is None:
            yield change(member, "member removed", Direction.LOOSENS)
        elif set(was) != set(now):
            yield change(member, "kind", Direction.UNKNOWN)
        elif "type" in was:
            if was != now:
                yield change(member, "type", Direction.UNKNOWN, was["type"], now["type"])
        else:
            for what, direction, *values in _arguments(was["parameters"], now["parameters"]):
                yield change(member, what, direction, *values)
            if was["returns"] != now["returns"]:
                said = was["returns"], now["returns"]
                yield change(member, "answer", Direction.UNKNOWN, *said)


def _arguments(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    for number, (one, other) in enumerate(zip(was, now, strict=False), 1):
        called = one["name"] or f"number {number}"
        for key in ("name", "kind", "type"):
            if one[key] != other[key]:
                yield f"argument {called}, {key}", Direction.UNKNOWN, one[key], other[key]
        if one["required"] != other["required"]:
            # Callers may now leave it out, or no longer.
            direction = Direction.LOOSENS if one["required"] is False else Direction.TIGHTENS
            yield f"argument {called}, required", direction, one["required"], other["required"]
    for number, extra in enumerate(now[len(was) :], len(was) + 1):
        direction = Direction.BOTH if extra["required"] else Direction.TIGHTENS
        yield f"new argument {extra['name'] or f'number {number}'}", direction
    for number, lost in enumerate(was[len(now) :], len(now) + 1):
        yield f"argument {lost['name'] or f'number {number}'} removed", Direction.LOOSENS
