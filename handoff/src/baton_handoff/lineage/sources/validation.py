"""What keeps a file from describing a source: the standard's schema, and what is ours in it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from baton_handoff.core.errors import HandoffError, UnreadableError
from baton_handoff.core.yaml_files import YamlLines, parse_json_yaml

if TYPE_CHECKING:
    from jsonschema_rs import Draft201909Validator

LAYERS = ("bronze", "silver", "gold")
STATUSES = ("open", "fixed")

NAME = re.compile(r"[\w-]+")
"""What a source or a problem may be called, so that a comment can name it."""

_PROBLEM = {"id", "status", "description"}


@dataclass(frozen=True)
class SourceProblem:
    """What keeps a source's file from being one.

    Attributes:
        file: The file, relative to the project.
        line: The line, from 1.
        says: What is wrong there.
    """

    file: str
    line: int
    says: str


def validate_source(path: str, text: str) -> Iterator[SourceProblem]:
    """What keeps a text from being a source's file."""
    try:
        said, lines = parse_json_yaml(text), YamlLines(text)
        wrong = list(_validator().iter_errors(said))
    except UnreadableError as error:
        known = "it is not valid YAML: " if error.syntax else ""
        yield SourceProblem(path, error.line or 1, f"{known}{error.reason}")
        return
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        yield SourceProblem(path, 1, f"it is not valid YAML: {reason}")
        return
    for broken in sorted(wrong, key=lambda one: lines.at(*one.instance_path)):
        where = ".".join(map(str, broken.instance_path)) or "the file"
        message = broken.message if len(broken.message) < 150 else f"{broken.message[:150]} …"
        yield SourceProblem(path, lines.at(*broken.instance_path), f"{where}: {message}")
    if not wrong:
        yield from _own_flaws(path, said, lines)


def _own_flaws(path: str, said: Mapping[str, Any], lines: YamlLines) -> Iterator[SourceProblem]:
    """What is wrong with the properties that are ours: the standard lets everything pass there."""
    for place, entry in enumerate(said.get("customProperties", [])):
        name, value = entry["property"], entry["value"]
        line = lines.at("customProperties", place, "value")
        if name == "official" and not isinstance(value, bool):
            yield SourceProblem(path, line, f"official must be true or false, not {value!r}")
        elif name == "layer" and value not in LAYERS:
            yield SourceProblem(
                path, line, f"layer must be one of {', '.join(LAYERS)}, not {value!r}"
            )
        elif name == "replacement" and not isinstance(value, str):
            yield SourceProblem(path, line, f"{name} must be text, not {value!r}")
        elif name == "knownProblems":
            yield from _flaws_of_problems(path, value, lines, place)
    for place, entry in enumerate(said.get("slaProperties", [])):
        value = entry.get("value")
        if str(entry.get("property")).lower() == "endoflife" and day(value) is None:
            line = lines.at("slaProperties", place, "value")
            yield SourceProblem(
                path, line, f"endOfLife must be a day such as 2027-03-31, not {value!r}"
            )


def _flaws_of_problems(
    path: str, said: Any, lines: YamlLines, place: int
) -> Iterator[SourceProblem]:
    at = ("customProperties", place, "value")
    if not isinstance(said, list):
        yield SourceProblem(path, lines.at(*at), "knownProblems must be a list")
        return
    ids: set[str] = set()
    for number, entry in enumerate(said):
        line = lines.at(*at, number)
        problem = entry if isinstance(entry, dict) else {}
        texts = all(isinstance(value, str) and value for value in problem.values())
        if not texts or set(problem) != _PROBLEM or problem["status"] not in STATUSES:
            wanted = f"an id, a description and a status, {' or '.join(STATUSES)}"
            yield SourceProblem(
                path, line, f"each of knownProblems must say {wanted}, and nothing else"
            )
        elif not NAME.fullmatch(problem["id"]):
            name = problem["id"]
            yield SourceProblem(
                path, line, f"a problem's id is letters, digits, - and _, not {name!r}"
            )
        elif problem["id"] in ids:
            yield SourceProblem(
                path, line, f"more than one of knownProblems has the id {problem['id']!r}"
            )
        else:
            ids.add(problem["id"])


def day(value: object) -> date | None:
    """A day, with or without the time that the standard allows; None where it is none."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


@cache
def _validator() -> "Draft201909Validator":
    """The standard's own schema, as its Python package carries it."""
    # Only a project's tools have them; the service reads no sources.
    try:
        from jsonschema_rs import Draft201909Validator  # noqa: PLC0415

        schema = files("open_data_contract_standard") / "schema.json"
    except ModuleNotFoundError as error:
        raise HandoffError(
            f"{error.name} is missing, which sources are read with: `uv sync` brings the tools."
        ) from error
    return Draft201909Validator(json.loads(schema.read_text(encoding="utf-8")))
