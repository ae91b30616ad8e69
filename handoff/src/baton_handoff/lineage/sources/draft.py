"""A new source's file: what is known stands in it, and what only people know is left open."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.odcs import ENDING, FOLDER
from baton_handoff.lineage.sources.unofficial import unofficial
from baton_handoff.lineage.sources.usage import SourceUsage

_HEAD = """\
# What is known of a source, by the Open Data Contract Standard; `handoff source list` reads it.
#
# This is a draft. What it leaves open only people know: ask them, and say it like this. What is
# unofficial needs an end of life and a replacement.
#
# team:
#   name: who answers for it, a domain expert's team
# description:
#   authoritativeDefinitions:
#     - {type: license, url: what allows its use}
# authoritativeDefinitions:
#   - {type: origin, url: where it comes from}
# slaProperties:
#   - {property: frequency, value: how often it changes}
#   - {property: endOfLife, value: 2027-03-31}
# customProperties:
#   - {property: official, value: true}
#   - {property: layer, value: bronze}  # as recorded; silver: cleaned; gold: made for a purpose
#   - {property: replacement, value: what is to take its place}
#   - property: knownProblems
#     value:
#       - {id: a-short-name, status: open, description: what is wrong}
# and under schema, the contract that it must meet:
#     quality:
#       - {type: custom, engine: pandera, implementation: "contracts:Prices"}

"""

_SERVERS = {"http": "api", "https": "api", "s3": "s3", "s3a": "s3"}


def add_source(project: Project, usage: SourceUsage, wanted: str) -> str:
    """Write a draft for something that is read.

    Args:
        project: The project.
        usage: Its sources, and what its code reads.
        wanted: A file or a folder, an address, or what the code reads.

    Returns:
        The draft, relative to the project.

    Raises:
        HandoffError: There is no such thing, or a source describes it.
    """
    place, table = _place(project, usage, wanted)
    for source in usage.sources:
        if place in source.locations:
            raise HandoffError(f"The source {source.name} describes {place}: see {source.file}.")
    name = source_name(place, table=table)
    path = f"{FOLDER}/{name}{ENDING}"
    file = project.root / path
    if file.exists():
        raise HandoffError(
            f"{path} describes something else: name {place} in it as well, or rename that file."
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(name, table=place) if table else draft_of(name, [place])
    file.write_text(draft, encoding="utf-8")
    return path


def draft_of(name: str, places: Sequence[str] = (), contract: str = "", table: str = "") -> str:
    """The draft of a source's file.

    Args:
        name: What the source is called.
        places: Files and addresses where it is read; its contract is about the last one.
        contract: The contract that it must meet, empty where that is open.
        table: The table of a database that it is, empty where it is none.
    """
    rows: dict[str, Any] = {"name": name}
    if table:
        rows["physicalName"] = table
    if contract:
        rule = {"type": "custom", "engine": "pandera", "implementation": contract}
        rows["quality"] = [rule]
    said: dict[str, Any] = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": name,
        "name": name,
        "version": "1.0.0",
        "status": "draft",
    }
    if places:
        said["servers"] = list(_servers(places))
    said["schema"] = [rows]
    if looks := next(filter(None, map(unofficial, places)), ""):
        because = f"It looks so: {looks}"
        said["customProperties"] = [
            {"property": "official", "value": False, "description": because}
        ]
    return _HEAD + yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100)


def source_name(place: str, *, table: bool = False) -> str:
    """What a source is called, by where it lies: the name of its file, or of its table."""
    name = PurePosixPath(place.partition("?")[0].rstrip("/")).name
    stem = name if table else name.partition(".")[0]
    return re.sub(r"[^\w-]+", "-", stem.lower()).strip("-") or "source"


def _place(project: Project, usage: SourceUsage, wanted: str) -> tuple[str, bool]:
    """Where something lies, as the project says it, and whether that is a table."""
    kinds = {read.what: read.kind for read in usage.found}
    if "://" in wanted or wanted in kinds:
        return wanted, kinds.get(wanted) == "table"
    for file in (Path.cwd() / wanted, project.root / wanted):
        if file.exists():
            at, root = file.resolve(), project.root.resolve()
            return (at.relative_to(root) if at.is_relative_to(root) else at).as_posix(), False
    raise HandoffError(
        f"There is no file {wanted}, and the code reads nothing of that name:"
        " `uv run handoff source list` shows what it reads."
    )


def _servers(places: Sequence[str]) -> Iterator[dict[str, str]]:
    for number, place in enumerate(places):
        name = f"place-{number + 1}"
        if "://" in place:
            kind = _SERVERS.get(place.partition(":")[0], "custom")
            yield {"server": name, "type": kind, "location": place}
        else:
            suffix = PurePosixPath(place).suffix.lstrip(".").lower() or "folder"
            yield {"server": name, "type": "local", "path": place, "format": suffix}
