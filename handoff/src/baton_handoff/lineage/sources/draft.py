"""A draft of the file of a source, with all that the code and the location tell."""

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from baton_handoff.config.project import Project
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.odcs import ENDING, FOLDER
from baton_handoff.lineage.sources.unofficial import unofficial_sign
from baton_handoff.lineage.sources.usage import SourceUsage

_SERVERS = {"http": "api", "https": "api", "s3": "s3", "s3a": "s3"}


def add_source(project: Project, usage: SourceUsage, wanted: str) -> str:
    """Write a draft for data that is read, or is to be read; return its path in the project.

    Raises:
        HandoffError: The data does not exist, or has a source file already.
    """
    location, is_table = _location(project, usage, wanted)
    for source in usage.sources:
        if location in source.locations:
            raise HandoffError(
                f"{location} has a source file already: {source.file}, of the source {source.name}."
            )
    name = source_name(location, table=is_table)
    path = f"{FOLDER}/{name}{ENDING}"
    file = project.root / path
    if file.exists():
        raise HandoffError(
            f"{path} describes other data: add {location} to it, or rename that file."
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = source_draft(name, table=location) if is_table else source_draft(name, [location])
    file.write_text(draft, encoding="utf-8")
    return path


def source_draft(
    name: str, locations: Sequence[str] = (), contract: str = "", table: str = ""
) -> str:
    """The text of a draft.

    Args:
        name: The name of the source.
        locations: The files and addresses where it is read; the contract is about the last one.
        contract: The contract that it must meet, empty if it has none yet.
        table: The table of a database, empty if it is none.
    """
    schema: dict[str, Any] = {"name": name}
    if table:
        schema["physicalName"] = table
    if contract:
        rule = {"type": "custom", "engine": "pandera", "implementation": contract}
        schema["quality"] = [rule]
    content: dict[str, Any] = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": name,
        "name": name,
        "version": "1.0.0",
        "status": "draft",
    }
    if locations:
        content["servers"] = list(_servers(locations))
    content["schema"] = [schema]
    if sign := next(filter(None, map(unofficial_sign, locations)), None):
        content["customProperties"] = [
            {"property": "official", "value": False, "description": f"It looks unofficial: {sign}"}
        ]
    head = (files(__package__) / "draft.odcs.yaml").read_text(encoding="utf-8")
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def source_name(location: str, *, table: bool = False) -> str:
    """The name of a source by its location: the name of the file or of the table."""
    name = PurePosixPath(location.partition("?")[0].rstrip("/")).name
    # The schema in front of a table is part of its name: two schemas may have the same table.
    stem = name if table else name.partition(".")[0]
    return re.sub(r"[^\w-]+", "-", stem.lower()).strip("-") or "source"


def _location(project: Project, usage: SourceUsage, wanted: str) -> tuple[str, bool]:
    """The location relative to the project, and whether it is a table."""
    kinds = {read.data: read.kind for read in usage.undescribed_reads}
    if "://" in wanted or wanted in kinds:
        return wanted, kinds.get(wanted) == "table"
    for file in (Path.cwd() / wanted, project.root / wanted):
        if file.exists():
            path, root = file.resolve(), project.root.resolve()
            inside = path.is_relative_to(root)
            return (path.relative_to(root) if inside else path).as_posix(), False
    raise HandoffError(
        f"There is no file {wanted}, and the code reads no data of that name:"
        " `uv run handoff source list` shows the data that it reads."
    )


def _servers(locations: Sequence[str]) -> Iterator[dict[str, str]]:
    for number, location in enumerate(locations, start=1):
        name = f"place-{number}"
        if "://" in location:
            kind = _SERVERS.get(location.partition(":")[0], "custom")
            yield {"server": name, "type": kind, "location": location}
        else:
            suffix = PurePosixPath(location).suffix.lstrip(".").lower() or "folder"
            yield {"server": name, "type": "local", "path": location, "format": suffix}
