"""Sources as their files describe them, in the Open Data Contract Standard."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from baton_handoff.core.errors import HandoffError, UnreadableError
from baton_handoff.core.yaml_files import YamlLines, parse_json_yaml
from baton_handoff.reporting.findings import Finding

if TYPE_CHECKING:
    from jsonschema_rs import Draft201909Validator

FOLDER = "data/sources"
ENDING = ".odcs.yaml"
_LONGEST = 150


class KnownProblem(BaseModel):
    """A known problem of a source; a comment in the code names it by its id."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Annotated[str, Field(pattern=r"^[\w-]+$")]
    status: Literal["open", "fixed"]
    description: Annotated[str, Field(min_length=1)]


def _parse_day(value: object) -> date:
    try:
        # The standard allows a time after the day.
        return date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise ValueError(f"it must be a day such as 2027-03-31, not {value!r}") from error


class _Properties(BaseModel):
    """The properties that Baton defines: the standard allows any value for them."""

    model_config = ConfigDict(strict=True)

    official: bool | None = None
    layer: Literal["bronze", "silver", "gold"] | None = None
    replacement: str = ""
    known_problems: Annotated[list[KnownProblem], Field(alias="knownProblems")] = []
    end_of_life: Annotated[date | None, Field(alias="endOfLife"), BeforeValidator(_parse_day)] = (
        None
    )

    @field_validator("known_problems")
    @classmethod
    def _ids_are_unique(cls, problems: list[KnownProblem]) -> list[KnownProblem]:
        if len({problem.id for problem in problems}) < len(problems):
            raise ValueError("two problems have the same id")
        return problems


@dataclass(frozen=True)
class Source:
    """A source; what its file does not tell is empty or None.

    Attributes:
        name: The name of its file without the ending.
        file: The file, relative to the project.
        locations: The paths, addresses and tables where it is read.
        owner: The team or the person that owns it.
        official: Whether the owner offers it for this use.
        layer: `bronze` as recorded, `silver` cleaned, `gold` made for a purpose.
        origin: The address of its origin.
        refresh: How often it changes.
        licence: The address of its licence.
        end_of_life: The last day of its use.
        replacement: The name of what replaces it.
        contract: The contract that it must meet, for example `contracts:Flights`.
        problems: The known problems.
        support: The place for reports to its owner.
        lines: The lines in its file by topic.
    """

    name: str
    file: str
    locations: tuple[str, ...]
    owner: str
    official: bool | None
    layer: str
    origin: str
    refresh: str
    licence: str
    end_of_life: date | None
    replacement: str
    contract: str
    problems: tuple[KnownProblem, ...]
    support: str
    lines: Mapping[str, int]


def load_sources(root: Path) -> tuple[list[Source], list[Finding]]:
    """The sources of a project, and findings for the files that are not valid."""
    sources, invalid = [], []
    for file in sorted((root / FOLDER).glob(f"*{ENDING}")):
        path = file.relative_to(root).as_posix()
        try:
            source, findings = parse_source(path, file.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            source, findings = None, [_invalid(path, 1, "it is not text in UTF-8")]
        sources += [source] if source else []
        invalid += findings
    return sources, invalid


def parse_source(path: str, text: str) -> tuple[Source | None, list[Finding]]:
    """A source by the text of its file, or None and the reasons why the file is not valid.

    Raises:
        HandoffError: The packages with the standard's schema are not installed.
    """
    try:
        content, lines = parse_json_yaml(text), YamlLines(text)
        # The validator reports errors in the order of its schema, not of the file.
        errors = sorted(
            (lines.at(*error.instance_path), _path(error.instance_path), error.message)
            for error in _validator().iter_errors(content)
        )
    except UnreadableError as error:
        return None, [_invalid(path, error.line or 1, f"not valid YAML: {error.reason}")]
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        return None, [_invalid(path, 1, f"not valid YAML: {reason}")]
    if errors:
        return None, [
            _invalid(path, line, f"{where}: {message[:_LONGEST]}")
            for line, where, message in errors
        ]
    places = {
        entry["property"]: ("customProperties", n, "value")
        for n, entry in enumerate(content.get("customProperties", []))
    }
    for n, entry in enumerate(content.get("slaProperties", [])):
        if str(entry.get("property")).lower() == "endoflife":
            places["endOfLife"] = ("slaProperties", n, "value")
    values = {name: content[part][n].get(key) for name, (part, n, key) in places.items()}
    # Both the standard's schema and Baton's model have to accept the file.
    try:
        own = _Properties.model_validate(values)
    except ValidationError as error:
        return None, [
            _invalid(
                path,
                lines.at(*places[str(one["loc"][0])], *one["loc"][1:]),
                f"{_path(one['loc'])}: {one['msg'].removeprefix('Value error, ')}",
            )
            for one in error.errors()
        ]
    return _source(path, content, lines, own, places), []


def _path(steps: Sequence[object]) -> str:
    return ".".join(map(str, steps)) or "the file"


def _invalid(path: str, line: int, message: str) -> Finding:
    return Finding(
        "",
        f"not a valid source file: {message}",
        blocks=True,
        file=path,
        line=line,
        fix="follow the Open Data Contract Standard 3.2, https://bitol.io",
    )


def _source(
    path: str,
    content: Mapping[str, Any],
    lines: YamlLines,
    own: _Properties,
    places: Mapping[str, tuple[str, int, str]],
) -> Source:
    sla = {e["property"].lower(): e for e in content.get("slaProperties", []) if "property" in e}
    frequency = map(sla.get("frequency", {}).get, ("value", "unit"))
    rules = [rule for table in content.get("schema", []) for rule in table.get("quality", [])]
    by_pandera = (str(r["implementation"]) for r in rules if r.get("engine") == "pandera")
    support = (entry.get("url") or entry["channel"] for entry in content.get("support", []))
    return Source(
        name=Path(path).name.removesuffix(ENDING),
        file=path,
        locations=tuple(_locations(content)),
        owner=_owner(content.get("team") or {}),
        official=own.official,
        layer=own.layer or "",
        origin=_link(content, "origin"),
        refresh=" ".join(str(part) for part in frequency if part is not None),
        licence=_link(content.get("description", {}), "license"),
        end_of_life=own.end_of_life,
        replacement=own.replacement,
        contract=next(by_pandera, ""),
        problems=tuple(own.known_problems),
        support=next(support, ""),
        lines={
            "owner": lines.at("team"),
            "contract": lines.at("schema"),
            "end_of_life": lines.at("slaProperties"),
            **{
                name: lines.at(*places.get(name, ("customProperties",))[:2])
                for name in ("replacement", "official")
            },
            **{
                f"problem:{problem.id}": lines.at(*places["knownProblems"], number)
                for number, problem in enumerate(own.known_problems)
            },
        },
    )


def _locations(content: Mapping[str, Any]) -> Iterator[str]:
    for server in content.get("servers", []):
        if place := server.get("path") or server.get("location"):
            yield str(place).removeprefix("./")
    for table in content.get("schema", []):
        if "physicalName" in table:
            yield str(table["physicalName"])


def _owner(team: Any) -> str:
    """The name of a team, or its members with the role owner; older files list only members."""
    if isinstance(team, Mapping):
        if team.get("name"):
            return str(team["name"])
        team = team.get("members", [])
    owners = (m for m in team if str(m.get("role", "")).lower() == "owner")
    return ", ".join(str(member["username"]) for member in owners)


def _link(content: Mapping[str, Any], kind: str) -> str:
    definitions = content.get("authoritativeDefinitions") or ()
    return next((str(d["url"]) for d in definitions if d["type"] == kind), "")


@cache
def _validator() -> "Draft201909Validator":
    """A validator for the standard's schema, which its Python package contains."""
    # Only the tools of a project include these packages; the service reads no sources.
    try:
        from jsonschema_rs import Draft201909Validator  # noqa: PLC0415

        schema = files("open_data_contract_standard") / "schema.json"
    except ModuleNotFoundError as error:
        raise HandoffError(
            f"The package {error.name} is missing; sources need it: run `uv sync`."
        ) from error
    return Draft201909Validator(json.loads(schema.read_text(encoding="utf-8")))
