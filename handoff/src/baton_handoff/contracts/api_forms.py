"""The canonical form of the API's models, so that they are compared like data contracts."""

import inspect
import json
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from baton_handoff.config.sides import ML_ENGINEERING
from baton_handoff.contracts.constraints import BUILT_IN
from baton_handoff.contracts.text_patterns import END

_ROLES = {
    "input": {"position": "input", "producer": "clients", "consumer": ML_ENGINEERING},
    "output": {"position": "output", "producer": ML_ENGINEERING, "consumer": "clients"},
}

_CHECKS = {
    "enum": ("isin", "allowed_values"),
    "const": ("equal_to", "value"),
    **{keyword: (name, argument) for name, (argument, _, keyword) in BUILT_IN.items()},
    **{key: (key, "value") for key in ("minItems", "maxItems", "minLength", "maxLength")},
}
"""For each keyword of JSON Schema, the check and its argument."""


def api_forms(api: ModuleType | None) -> dict[str, Any]:
    """Return the form of every request and response, and of the models in them, by name."""
    forms: dict[str, Any] = {}
    for name, model in vars(api).items() if api else ():
        own = inspect.isclass(model) and model.__module__ == getattr(api, "__name__", "")
        if own and issubclass(model, BaseModel) and name.endswith(("Request", "Response")):
            # pydantic describes what it validates and what it serializes differently.
            is_input = name.endswith("Request")
            schema = model.model_json_schema(mode="validation" if is_input else "serialization")
            for part, described in {name: schema, **schema.get("$defs", {})}.items():
                forms[part] = form_of(part, described, _ROLES["input" if is_input else "output"])
    return forms


def accepts(model: type[BaseModel], rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a model of the API accepts each row of plain values."""
    try:
        for row in rows:
            model.model_validate_json(json.dumps(row))
    except ValidationError:
        return False
    return True


def form_of(name: str, schema: Mapping[str, Any], metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the form of an object that a JSON schema describes."""
    required = schema.get("required", [])
    return {
        "name": name,
        "metadata": dict(metadata),
        "columns": {
            field: {**_field(described), "required": field in required}
            for field, described in sorted(schema.get("properties", {}).items())
        },
        "checks": [],
        "unique": [],
        "strict": schema.get("additionalProperties") is False,
        "ordered": False,
        "coerce": False,
    }


def _field(described: Mapping[str, Any]) -> dict[str, Any]:
    kinds = described.get("anyOf", [described])
    known = [kind for kind in kinds if kind.get("type") != "null"]
    kind = known[0] if len(known) == 1 else {"type": str(known)}
    return {
        "type": _type(kind),
        "nullable": len(known) < len(kinds),
        "unique": False,
        "coerce": False,
        "checks": [
            {"name": name, argument: _value(kind[keyword])}
            for keyword, (name, argument) in _CHECKS.items()
            if keyword in kind
        ],
    }


def _value(value: Any) -> Any:
    """The value of a keyword; a pattern as earlier releases have generated it."""
    return value.replace(END, "$") if isinstance(value, str) else value


def _type(kind: Mapping[str, Any]) -> str:
    if kind.get("type") == "array":
        return f"list of {_type(kind.get('items', {}))}"
    if "$ref" in kind:
        return str(kind["$ref"]).rpartition("/")[2]
    if kind.get("format") == "date-time":
        return "timestamp"
    return str(kind.get("type", "anything"))
