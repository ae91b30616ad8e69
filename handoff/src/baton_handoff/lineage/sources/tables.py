"""Tables in git that a source describes: whether they meet the contract of the source."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from baton_handoff.config.project import Project
from baton_handoff.contracts import ContractViolation, check
from baton_handoff.contracts.column_values import infer_columns
from baton_handoff.contracts.own_names import reserved_names
from baton_handoff.contracts.raw_tables import RawTable, open_table
from baton_handoff.contracts.table_files import read_source
from baton_handoff.contracts.table_profile import contract_names
from baton_handoff.core.errors import HandoffError
from baton_handoff.core.git import git_or_none
from baton_handoff.lineage.sources.odcs import Source, load_sources
from baton_handoff.reporting.findings import Finding

TABLES = (".csv", ".tsv", ".csv.gz", ".jsonl", ".ndjson", ".parquet")
"""The ends of the names of tables that can be read here."""

LARGEST = 50_000_000
"""The bytes of the largest table that is read: git is not for data."""


def table_findings(project: Project) -> Iterator[Finding]:
    """The tables in git that break the contract which their source names.

    What DVC keeps is checked where the pipeline reads it.
    """
    described = [
        (source, place)
        for source in load_sources(project.root)[0]
        for place in source.locations
        if source.contract and place.lower().endswith(TABLES)
    ]
    tracked = git_or_none(project.root, "ls-files", "-z") if described else ""
    for source, place in described:
        file = project.root / place
        if place in (tracked or "").split("\0") and file.is_file():
            yield from _broken(project, source, place, file)


def _broken(project: Project, source: Source, place: str, file: Path) -> Iterator[Finding]:
    module, _, name = source.contract.partition(":")
    contract = getattr(project.room(module), name, None)
    if contract is None or file.stat().st_size > LARGEST:
        return
    try:
        reserved = reserved_names(project.room("contracts.engine").DataFrameModel)
        table = described_table(open_table(file), contract, reserved)
        backend = project.room("contracts.engine").BACKEND
        check(contract, nw.from_arrow(table, backend=backend).to_native())
    except ContractViolation as violation:
        message = str(violation).rstrip(".")
    except HandoffError as error:
        message = str(error).rstrip(".").replace(str(file), place)
    else:
        return
    yield Finding(
        "table",
        message,
        blocks=project.level > 0,
        side=project.side_of(place),
        file=place,
        fix=f"correct the table, or change the contract {source.contract} with those who read it",
    )


def described_table(raw: RawTable, contract: Any, reserved: set[str]) -> pa.Table:
    """The rows of a file in the types of a contract, whose names a draft derived from the file's.

    Raises:
        HandoffError: The file lacks a column, has another one, or holds other types.
    """
    found = infer_columns(raw.columns)
    names = contract_names(list(found), reserved)
    columns = {*contract.to_schema().columns}
    if more := [name for name in names if names[name] not in columns]:
        raise HandoffError(
            f"{raw.file.name} has columns that {contract.__name__} lacks:"
            f" {', '.join(map(repr, more))}."
        )
    formats = {
        names[name]: column.form.model_copy(update={"name": name}) for name, column in found.items()
    }
    return read_source(raw.file, contract, formats, (), raw.format)
