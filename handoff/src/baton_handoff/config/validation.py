"""Validate the content of a file with a pydantic model; report an error with its line.

A model derives from `StrictModel`, which refuses unknown keys and values of other types.
`validated` builds it from parsed TOML, YAML or JSON:

    class Enforce(StrictModel):
        practices: list[Text] = []

    enforce = validated(Enforce, settings.get("enforce", {}), file, ("enforce",))

The last argument is where in the file the data is; list positions count from 0, as in
`("statements", 2)`. A rule that a model can't express is checked afterwards:

    raise invalid(file, ("enforce", "practices", 0), "the practice x is unknown: use y")

Both raise `SettingsError`: a sentence with file, line, key, problem and remedy. A validator of a
model raises `PydanticCustomError(kind, "use …")` from `pydantic_core`; its message is the remedy.
This module alone makes sentences, from the types of pydantic's errors, not from their messages.
"""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from baton_handoff.core.conflict_markers import conflicts_in
from baton_handoff.core.errors import SettingsError, UnreadableError
from baton_handoff.core.suggestions import similar_name
from baton_handoff.core.toml_files import TomlLines, parse_toml
from baton_handoff.core.yaml_files import YamlLines, parse_yaml

Location: TypeAlias = tuple[str | int, ...]
Text = Annotated[str, Field(min_length=1)]
"""A text that is not empty."""

_Model = TypeVar("_Model")

_REMEDIES = {
    "bool_type": "use true or false",
    "date_type": "use a date such as 2027-03-31",
    "dict_type": "use keys with values",
    "float_type": "use a number",
    "greater_than_equal": "use a number of at least {ge}",
    "int_type": "use a whole number",
    "less_than_equal": "use a number of at most {le}",
    "list_type": "use a list",
    "literal_error": "use {expected}",
    "model_type": "use keys with values",
    "string_pattern_mismatch": "use text that matches `{pattern}`",
    "string_too_short": "use text that is not empty",
    "string_type": "use text that is not empty",
    "too_short": "use at least {min_length} entry",
}
"""For each type of pydantic's errors what to write instead, with values of the error's context."""

_HEADERS = {"list_type": "[[{}]]", "dict_type": "[{}]", "model_type": "[{}]"}
"""How TOML writes what was expected at the top of a file."""

_KEY = "[key]"
"""Pydantic's mark for an error about the key of a mapping."""

_RESTORE = "restore the file from git"


class StrictModel(BaseModel):
    """A part of a file: unknown keys are errors, no value is converted to another type."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


def read_settings(file: Path, *, generated: bool = False) -> Any:
    """Read a file of settings: TOML, JSON or YAML by its suffix.

    Args:
        file: The file.
        generated: True if a command writes the file, so that the remedy is to restore it.

    Raises:
        OSError: The file can't be read.
        SettingsError: The file is not UTF-8 or has a syntax error.
    """
    kind, line = "syntax", 1
    try:
        text = file.read_text(encoding="utf-8")
        match file.suffix:
            case ".toml":
                return parse_toml(text)
            case ".json":
                return json.loads(text)
            case _:
                return parse_yaml(text)
    except UnicodeDecodeError:
        kind, problem, remedy = "encoding", "the file is not UTF-8", "save it as UTF-8"
    except json.JSONDecodeError as error:
        line, problem, remedy = error.lineno, f"invalid JSON ({error.msg})", "correct that line"
    except UnreadableError as error:
        language = "TOML" if file.suffix == ".toml" else "YAML"
        line, remedy = error.line or 1, "correct that line"
        problem = f"invalid {language} ({error.reason})"
    if kind == "syntax" and (conflict := next(conflicts_in(text), None)):
        line, _ = conflict
        problem, generated = "a conflict that nobody has resolved", False
        remedy = "keep the lines that are right, and delete the markers"
    raise SettingsError(
        file, line, f"{problem}: {_RESTORE if generated else remedy}.", location=(), kind=kind
    )


def validated(
    model: type[_Model], data: object, file: Path, at: Location = (), *, generated: bool = False
) -> _Model:
    """Build a model from the content of a file.

    Args:
        model: A class that derives from `StrictModel`, or another type that pydantic can build.
        data: The parsed content.
        file: The file that contains it, for the line of an error.
        at: Where in the file the data is.
        generated: True if a command writes the file, so that the remedy is to restore it.

    Raises:
        SettingsError: The data does not fit. Of several errors it is about an unknown key or a
            wrong value rather than about a missing key, then about the first one in the file.
    """
    adapter = TypeAdapter(model)
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        # Only now: parsing the file again for its lines is slow, and most files are valid.
        lines = _lines(file)

        def order(problem: ErrorDetails) -> tuple[bool, int]:
            return problem["type"] == "missing", lines.at(*at, *problem["loc"])

        first = min(error.errors(include_url=False), key=order)
        location = (*at, *(step for step in first["loc"] if step != _KEY))
        problem, remedy = _explained(first, location, file, adapter)
        asks = remedy.endswith("?")
        if generated:
            remedy = f"{remedy} Otherwise {_RESTORE}" if asks else f"{remedy}, or {_RESTORE}"
        problem = f"{problem}{';' if asks else ':'} {remedy}"
        raise invalid(file, location, problem, kind=first["type"]) from error


def invalid(
    file: Path, location: Location, problem: str, *, kind: str = "rule", element: str | None = None
) -> SettingsError:
    """The error for a setting that breaks a rule.

    Args:
        file: The file.
        location: The keys and list positions that lead to the setting.
        problem: What is wrong and what to do, without a full stop; it may end in a question.
        kind: The kind of problem, for callers that have to tell one from another.
        element: The text in a TOML list that the problem is about; the list may span lines.
    """
    lines = _lines(file)
    line = lines.at(*location)
    if element is not None and isinstance(lines, TomlLines):
        line = lines.of_text(element, line)
    end = "" if problem.endswith(("?", ".")) else "."
    return SettingsError(file, line, f"{problem}{end}", location=location, kind=kind)


def _lines(file: Path) -> TomlLines | YamlLines:
    # JSON is YAML, too.
    text = file.read_text(encoding="utf-8")
    return TomlLines(text) if file.suffix == ".toml" else YamlLines(text)


def _explained(
    error: ErrorDetails, location: Location, file: Path, adapter: TypeAdapter[Any]
) -> tuple[str, str]:
    """What is wrong with a setting, and what to write instead."""
    *parents, key = location or ("",)
    subject = f"`{key}`" if location else "the file"
    if isinstance(key, int):
        subject = f"entry {key + 1} of `{parents.pop()}`"
    keys = [step for step in parents if isinstance(step, str)]
    is_toml = file.suffix == ".toml"
    table = ".".join(keys)
    if is_toml:
        table = f"[{table}]" if len(keys) == len(parents) else f"[[{table}]]"
    place = f" in {table}" if keys else ""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return f"{subject} is missing{place}", "add it"
    if kind == "extra_forbidden":
        allowed = _allowed(adapter, error["loc"])
        return f"{subject} is unknown{place}", _suggestion(str(key), allowed)
    if _KEY in error["loc"]:
        return f"{subject} is unknown{place}", f"use {context['expected']}"
    # A type that is not in the table is that of a model's own validator, with its own remedy.
    remedy = _REMEDIES[kind].format(**context) if kind in _REMEDIES else error["msg"]
    if is_toml and not parents and kind in _HEADERS:
        remedy = f"write a table `{_HEADERS[kind].format(key)}`"
    return f"{subject}{place} is {_rendered(error['input'])}", remedy


def _suggestion(key: str, allowed: Sequence[str]) -> str:
    if near := similar_name(key, allowed):
        return f"did you mean `{near}`?"
    return f"use {', '.join(allowed)}" if allowed else "remove it"


def _allowed(adapter: TypeAdapter[Any], location: Location) -> list[str]:
    """The keys that a model allows next to an unknown key."""
    schema = adapter.json_schema()
    definitions = schema.get("$defs", {})
    node = schema
    for step in location:
        # The last step is the unknown key, which leads to no other node.
        node = definitions[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
        keys = node.get("properties", {})
        if isinstance(step, int):
            node = node["items"]
        else:
            node = keys.get(step, node.get("additionalProperties", {}))
    return list(keys)


def _rendered(value: object) -> str:
    """A value as a file contains it, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, date):
        text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
