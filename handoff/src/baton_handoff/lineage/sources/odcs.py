"""A source's file: the Open Data Contract Standard, read and held against its schema."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from baton_handoff.core.yaml_files import YamlLines, parse_json_yaml
from baton_handoff.lineage.sources.validation import SourceProblem, day, validate_source

FOLDER = "data/sources"
ENDING = ".odcs.yaml"


@dataclass(frozen=True)
class Problem:
    """Something that is known to be wrong with a source.

    Attributes:
        id: What a workaround calls it.
        says: What is wrong.
        fixed: Whether it is mended at the source.
        line: Where its file says so.
    """

    id: str
    says: str
    fixed: bool
    line: int


@dataclass(frozen=True)
class Source:
    """A source, as its file describes it; what the file leaves open is empty or None.

    Attributes:
        name: What it is called here: its file's name.
        file: Its file, relative to the project.
        locations: Where it is read: paths, addresses, tables.
        owner: Who answers for it.
        official: Whether that owner offers it for this use.
        layer: `bronze` as recorded, `silver` cleaned, `gold` made for a purpose.
        origin: Where it comes from.
        refresh: How often it changes.
        licence: What its use is allowed by.
        end_of_life: The last day on which it is to be used.
        replacement: What is to take its place.
        contract: The contract that it must meet, `contracts:Flights` for example.
        problems: What is known to be wrong with it.
        support: Where its owner is told of a problem.
        lines: Where its file says what, by name.
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
    problems: tuple[Problem, ...]
    support: str
    lines: Mapping[str, int]


def load_sources(root: Path) -> tuple[list[Source], list[SourceProblem]]:
    """Every source that a project has a file of, and what is wrong with such files."""
    sources, invalid_files = [], []
    for file in sorted((root / FOLDER).glob(f"*{ENDING}")):
        path = file.relative_to(root).as_posix()
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            invalid_files.append(SourceProblem(path, 1, "it is not text in UTF-8"))
            continue
        found = list(validate_source(path, text))
        invalid_files += found
        if not found:
            sources.append(_source(path, parse_json_yaml(text), YamlLines(text)))
    return sources, invalid_files


def _source(path: str, said: Mapping[str, Any], lines: YamlLines) -> Source:
    own = {entry["property"]: entry["value"] for entry in said.get("customProperties", [])}
    sla = {e["property"].lower(): e for e in said.get("slaProperties", []) if "property" in e}
    places = {e["property"]: n for n, e in enumerate(said.get("customProperties", []))}
    problems = places.get("knownProblems", 0)
    return Source(
        name=Path(path).name.removesuffix(ENDING),
        file=path,
        locations=tuple(_locations(said)),
        owner=_owner(said.get("team")),
        official=own.get("official"),
        layer=own.get("layer", ""),
        origin=_link(said.get("authoritativeDefinitions"), "origin"),
        refresh=_text(sla.get("frequency", {})),
        licence=_link(said.get("description", {}).get("authoritativeDefinitions"), "license"),
        end_of_life=day(sla.get("endoflife", {}).get("value")),
        replacement=own.get("replacement", ""),
        contract=_contract(said.get("schema", [])),
        problems=tuple(
            Problem(
                entry["id"],
                entry["description"],
                entry["status"] == "fixed",
                lines.at("customProperties", problems, "value", number),
            )
            for number, entry in enumerate(own.get("knownProblems", []))
        ),
        support=next((e.get("url") or e["channel"] for e in said.get("support", [])), ""),
        lines={
            "owner": lines.at("team"),
            "contract": lines.at("schema"),
            "end of life": lines.at("slaProperties"),
            "replacement": lines.at("customProperties", places.get("replacement", 0)),
            "official": lines.at("customProperties", places.get("official", 0)),
        },
    )


def _locations(said: Mapping[str, Any]) -> Iterator[str]:
    for server in said.get("servers", []):
        place = server.get("path") or server.get("location")
        if place:
            yield str(place).removeprefix("./")
    for table in said.get("schema", []):
        if "physicalName" in table:
            yield str(table["physicalName"])


def _owner(team: Any) -> str:
    """A team, or whoever in it is the owner."""
    members = team if isinstance(team, list) else (team or {}).get("members", [])
    named = "" if isinstance(team, list) else str((team or {}).get("name", ""))
    owners = [str(m["username"]) for m in members if str(m.get("role", "")).lower() == "owner"]
    return named or ", ".join(owners)


def _link(definitions: Sequence[Mapping[str, Any]] | None, kind: str) -> str:
    return next((str(d["url"]) for d in definitions or () if d["type"] == kind), "")


def _text(sla: Mapping[str, Any]) -> str:
    return " ".join(str(sla[key]) for key in ("value", "unit") if sla.get(key) is not None)


def _contract(tables: Sequence[Mapping[str, Any]]) -> str:
    """What is to be checked by pandera."""
    rules = [rule for table in tables for rule in table.get("quality", [])]
    by_pandera = [rule for rule in rules if rule.get("engine") == "pandera"]
    return next((str(rule["implementation"]) for rule in by_pandera), "")
