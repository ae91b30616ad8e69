"""The first contract of a repository: drafted from a table that its code reads."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from baton_handoff.contracts.column_values import infer_columns
from baton_handoff.contracts.first_draft import table_source
from baton_handoff.contracts.own_names import reserved_names
from baton_handoff.contracts.raw_tables import open_table
from baton_handoff.contracts.table_profile import profile_columns
from baton_handoff.core.errors import HandoffError
from baton_handoff.lineage.sources.draft import source_draft, source_name
from baton_handoff.lineage.sources.odcs import ENDING, FOLDER
from baton_handoff.lineage.sources.reads import Read, data_reads
from baton_handoff.lineage.sources.tables import LARGEST, TABLES
from baton_handoff.lineage.sources.usage import stage_outputs
from baton_handoff.source_code.modules import project_modules

_OF_THE_TEMPLATE = {"api", "data", "engine", "model", "sources"}


@dataclass(frozen=True)
class FirstContract:
    """A contract that was drafted.

    Attributes:
        table: The path of the table.
        read_at: The places that read it.
        name: The name of its class.
        columns: How many columns it has.
        texts: The new files in the repository.
        module: The name of its module in the contracts.
    """

    table: str
    read_at: Sequence[str]
    name: str
    columns: int
    texts: Mapping[str, str]
    module: str


def draft_first_contract(root: Path, package: str) -> FirstContract | None:
    """Draft a contract for the table that most of the code reads; None if no table can be read.

    Args:
        root: The repository.
        package: The package that gets the contracts.
    """
    places: dict[str, list[str]] = {}
    for read in data_reads(list(project_modules(root)), stage_outputs(root)):
        for table in _tables(root, read):
            places.setdefault(table, []).append(read.place)
    ranked = sorted(
        places, key=lambda one: (-len({*places[one]}), (root / one).stat().st_size, one)
    )
    for table in ranked:
        if drafted := _drafted(root, package, table, list(dict.fromkeys(places[table]))):
            return drafted
    return None


def with_contract(contracts: str, first: FirstContract) -> str:
    """The `__init__.py` of the contracts, with another contract."""
    line = f"from .{first.module} import {first.name}\n"
    imports = re.findall(r"(?m)^from \..*\n", contracts)
    later = next((one for one in imports if one > line), None)
    if later:
        contracts = contracts.replace(later, f"{line}{later}", 1)
    else:
        contracts = contracts.replace(imports[-1], f"{imports[-1]}{line}", 1)
    names = re.findall(r'(?m)^    "(\w+)",\n', contracts)
    listed = "".join(f'    "{name}",\n' for name in sorted([*names, first.name]))
    old = "".join(f'    "{name}",\n' for name in names)
    return contracts.replace(old, listed, 1)


def _tables(root: Path, read: Read) -> Iterator[str]:
    """The table that a place reads, by its path from the repository or from the file that reads."""
    if read.kind != "path" or read.made_by or not read.data.lower().endswith(TABLES):
        return
    folder = PurePosixPath(read.file).parent
    for path in (PurePosixPath(read.data), folder / read.data):
        file = root / path
        if file.is_file() and 0 < file.stat().st_size <= LARGEST and not file.is_symlink():
            yield path.as_posix()
            return


def _drafted(root: Path, package: str, table: str, read_at: list[str]) -> FirstContract | None:
    # pandera loads slowly, and is needed only here.
    from pandera.pandas import DataFrameModel  # noqa: PLC0415

    source = source_name(table)
    module = re.sub(r"\W+", "_", source.replace("-", "_"), flags=re.ASCII).strip("_") or "table"
    module = f"table_{module}" if module[0].isdigit() or module in _OF_THE_TEMPLATE else module
    name = "".join(part.capitalize() for part in module.split("_"))
    try:
        found = infer_columns(open_table(root / table).columns)
        columns = profile_columns(found, reserved_names(DataFrameModel))
    except HandoffError:
        return None
    if not columns:
        return None
    text = f"The table {PurePosixPath(table).name.replace(chr(34), chr(39))}, as its rows show it."
    return FirstContract(
        table,
        read_at,
        name,
        len(columns),
        {
            f"src/{package}/contracts/{module}.py": table_source(name, text, columns),
            f"{FOLDER}/{source}{ENDING}": source_draft(source, [table], f"contracts:{name}"),
        },
        module,
    )
