"""The API's requests and answers in the form that contracts have, so that one judge judges both."""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from baton_handoff.config.sides import ML_ENGINEERING
from baton_handoff.contracts.constraints import BUILT_IN

_ROLES = {
    "input": {"position": "input", "producer": "clients", "consumer": ML_ENGINEERING},
    "output": {"position": "output", "producer": ML_ENGINEERING, "consumer": "clients"},
}

_CHECKS = {
    "enum": ("isin", "allowed_values"),
    "const": ("equal_to", "value"),
    **{keyword: (name, argument) for name, (argument, _, keyword) in BUILT_IN.items()},
}


def request_forms(api: ModuleType | None) -> dict[str, Any]:
    """The form of every request and answer, and of what they hold, by name.

    Args:
        api: The project's generated `contracts.api`, None where there is none.
    """
    if api is None:
        return {}
    models = {
        name: model
        for name, model in vars(api).items()
        if name.endswith(("Request", "Response"))
        and inspect.isclass(model)
        and issubclass(model, BaseModel)
        and model.__module__ == api.__name__
    }
    forms: dict[str, Any] = {}
    for name, model in models.items():
        # pydantic describes what is taken and what is given differently.
        position = "output" if name.endswith("Response") else "input"
        schema = model.model_json_schema(
            mode="validation" if position == "input" else "serialization"
        )
        for part, described in {name: schema, **schema.get("$defs", {})}.items():
            forms[part] = form_of(part, described, _ROLES[position])
    return forms


def accepts(model: type[BaseModel], rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a model of the API accepts each of some rows of plain values."""
    try:
        for row in rows:
            model.model_validate_json(json.dumps(row))
    except ValidationError:
        return False
    return True


def form_of(name: str, schema: Mapping[str, Any], metadata: Mapping[str, str]) -> dict[str, Any]:
    """The form of an object that a JSON schema describes."""
    required = schema.get("required", [])
    return {
        "name": name,
        "metadata": dict(metadata),
        "columns": {
            field: {**_field(stated), "required": field in required}
            for field, stated in sorted(schema.get("properties", {}).items())
        },
        "checks": [],
        "unique": [],
        "strict": schema.get("additionalProperties") is False,
        "ordered": False,
        "coerce": False,
    }


def _field(stated: Mapping[str, Any]) -> dict[str, Any]:
    kinds = stated.get("anyOf", [stated])
    known = [kind for kind in kinds if kind.get("type") != "null"]
    kind = known[0] if len(known) == 1 else {"type": str(known)}
    return {
        "type": _type(kind),
        "nullable": len(known) < len(kinds),
        "unique": False,
        "coerce": False,
        "checks": list(_checks(kind)),
    }


def _type(kind: Mapping[str, Any]) -> str:
    if kind.get("type") == "array":
        return f"list of {_type(kind.get('items', {}))}"
    if "$ref" in kind:
        return str(kind["$ref"]).rpartition("/")[2]
    if kind.get("format") == "date-time":
        return "timestamp"
    return str(kind.get("type", "anything"))


def _checks(kind: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key, (name, argument) in _CHECKS.items():
        if key in kind:
            yield {"name": name, argument: kind[key]}
    for key in sorted(set(kind) & {"minItems", "maxItems", "minLength", "maxLength"}):
        yield {"name": key, "value": kind[key]}
