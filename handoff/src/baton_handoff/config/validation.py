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
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from baton_handoff.core.errors import HandoffError, SettingsError, UnreadableError
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
        lines = _lines(file)

        def order(problem: ErrorDetails) -> tuple[bool, int]:
            return problem["type"] == "missing", lines.at(*at, *problem["loc"])

        first = min(error.errors(include_url=False), key=order)
        location = (*at, *(step for step in first["loc"] if step != _KEY))
        problem, remedy = _explained(first, location, file, adapter)
        remedy = f"{remedy}, or {_RESTORE}" if generated else remedy
        raise invalid(file, location, f"{problem}: {remedy}", kind=first["type"]) from error


def invalid(
    file: Path, location: Location, problem: str, *, kind: str = "rule", element: str | None = None
) -> SettingsError:
    """The error for a setting that breaks a rule.

    Args:
        file: The file.
        location: The keys and list positions that lead to the setting.
        problem: What is wrong and what to do, without a full stop.
        kind: The kind of problem, for callers that have to tell one from another.
        element: The text in a TOML list that the problem is about; the list may span lines.
    """
    lines = _lines(file)
    line = lines.at(*location)
    if element is not None and isinstance(lines, TomlLines):
        line = lines.of_text(element, line)
    sentence = problem if problem.endswith("?") else f"{problem}."
    return SettingsError(file, line, sentence, location=location, kind=kind)


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
        return f"{subject} is unknown{place}", _suggestion(
            str(key), _allowed(adapter, error["loc"])
        )
    if _KEY in error["loc"]:
        return f"{subject} is unknown{place}", f"use {context['expected']}"
    remedy = _REMEDIES[kind].format(**context) if kind in _REMEDIES else error["msg"]
    if is_toml and not parents and kind in _HEADERS:
        remedy = f"write a table `{_HEADERS[kind].format(key)}`"
    return f"{subject}{place} is {_rendered(error['input'])}", remedy


def _suggestion(key: str, allowed: Sequence[str]) -> str:
    near = get_close_matches(key, allowed, 1)
    return f"did you mean `{near[0]}`?" if near else f"use {', '.join(allowed)}"


def _allowed(adapter: TypeAdapter[Any], location: Location) -> list[str]:
    """The keys that a model allows next to an unknown key."""
    schema = adapter.json_schema()
    node = schema
    for step in (*location[:-1], None):
        while "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        if step is not None:
            node = node["items"] if isinstance(step, int) else node["properties"][step]
    return list(node["properties"])


def _rendered(value: object) -> str:
    """A value as a file contains it, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, date):
        text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


# Until `policy.practices` uses models.


@dataclass(frozen=True)
class Entry:
    """A table, or one entry of a list of tables.

    Attributes:
        file: The file that it stands in.
        table: The name of table or list.
        values: What it says.
        number: Which of the list it is, from 0; None for a table that is alone.
    """

    file: Path
    table: str
    values: Mapping[str, Any]
    number: int | None = None

    @property
    def called(self) -> str:
        """The table as the file writes it."""
        return f"[{self.table}]" if self.number is None else f"[[{self.table}]]"

    def wrong(self, key: str, what: str, value: str | None = None) -> NoReturn:
        """Say what is wrong with one of its values.

        Args:
            key: The key.
            what: What is wrong, without the full stop.
            value: Which text of a list it is, None where it is all of the value.

        Raises:
            HandoffError: Always.
        """
        raise HandoffError(f"{self.file}:{self._line(key, value)}: {what}.")

    def only(self, allowed: Sequence[str], needed: Sequence[str]) -> None:
        """Make sure that it says all that is needed, and nothing that nobody reads.

        Raises:
            HandoffError: It does not.
        """
        for key in self.values:
            if key not in allowed:
                self.wrong(key, f"`{key}` is unknown in {self.called}: {_one_of(allowed)}")
        for key in needed:
            if key not in self.values:
                self.wrong("", f"{self.called} must say `{key}`")

    def text(self, key: str, instead: str | None = None) -> str:
        """A text that is not empty.

        Raises:
            HandoffError: It is none.
        """
        value = self.values.get(key, instead)
        if not isinstance(value, str) or not (value or value == instead):
            self.wrong(key, f"`{key}` of {self.called} must be a text that is not empty")
        return value

    def choice(self, key: str, allowed: Sequence[str], instead: str | None = None) -> str:
        """One of some words.

        Raises:
            HandoffError: It is none of them.
        """
        value = self.values.get(key, instead)
        if value not in allowed:
            self.wrong(key, f"`{key} = {_shown(value)}` is unknown: {_one_of(allowed)}")
        return str(value)

    def day(self, key: str) -> date:
        """A date.

        Raises:
            HandoffError: It is none.
        """
        value = self.values.get(key)
        if type(value) is not date:
            self.wrong(key, f"`{key} = {_shown(value)}` must be a date such as 2027-03-31")
        return value

    def number_from_0(self, key: str) -> float:
        """A number that is not negative.

        Raises:
            HandoffError: It is none.
        """
        value = self.values.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
            self.wrong(
                key, f"`{key} = {_shown(value)}` in {self.called} must be a number from 0 on"
            )
        return value

    def _line(self, key: str, value: str | None) -> int:
        """The line on which it says something, or begins."""
        name = re.escape(self.table)
        # A table that is alone may also be written as `enforce.practices = …`.
        alone = rf"\s*(\[\s*{name}\s*\]|{name}\s*[.=])"
        begins = alone if self.number is None else rf"\s*\[\[\s*{name}\s*\]\]"
        other = rf"\s*\[\[?\s*(?!{name}\s*\.)[\w.-]+\s*\]"
        inside, begun, first, found = False, -1, 1, 0
        for number, line in enumerate(self.file.read_text(encoding="utf-8").splitlines(), start=1):
            if re.match(begins, line):
                begun += 1
                inside = begun == (self.number or 0)
                first = number if inside else first
            elif re.match(other, line):
                inside = False
            if inside and value is not None and re.search(rf"[\"']{re.escape(value)}[\"']", line):
                return number
            if (
                inside
                and key
                and not found
                and re.match(rf"\s*[\"']?{re.escape(key)}(?![\w-])", line)
            ):
                found = number
        return found or first


def entries(file: Path, table: str, stated: object) -> Iterator[Entry]:
    """The entries of a list of tables.

    Raises:
        HandoffError: It is no list of tables.
    """
    if not isinstance(stated, list) or not all(isinstance(one, Mapping) for one in stated):
        raise HandoffError(f"{file} must have each of its {table} as a table `[[{table}]]`.")
    for number, values in enumerate(stated):
        yield Entry(file, table, values, number)


def table_of(file: Path, table: str, stated: object) -> Entry:
    """A table that is alone.

    Raises:
        HandoffError: It is no table.
    """
    if not isinstance(stated, Mapping):
        raise HandoffError(f"{file} must have `{table}` as a table `[{table}]`.")
    return Entry(file, table, stated)


def _one_of(allowed: Sequence[str]) -> str:
    return f"it may be {', '.join(allowed)}"


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
