"""Drafts of the files that adopting Baton would begin with: a contract, or a source."""

from collections.abc import Mapping

from baton_handoff.lineage.sources.draft import source_draft, source_name
from baton_handoff.lineage.sources.reads import Read


def drafted_source(read: Read) -> tuple[str, str]:
    """The path and the text of a source file for the data that is read."""
    table = read.data if read.kind == "table" else ""
    name = source_name(read.data, table=bool(table))
    text = source_draft(name, table=table) if table else source_draft(name, [read.data])
    kept = [line for line in text.splitlines() if not line.startswith("#")]
    return f"data/sources/{name}.odcs.yaml", "\n".join(filter(None, kept))


def drafted_contract(name: str, columns: Mapping[str, str]) -> tuple[str, str]:
    """The path and the text of a drafted contract."""
    named = {c: t for c, t in columns.items() if c.isidentifier()}
    lines = [f"    {column}: {kind}" for column, kind in named.items()]
    lines = lines or ["    # its columns: no list of them was found in the code"]
    text = "\n".join(["class " + name + "(pa.DataFrameModel):", *lines])
    text += '\n\n    class Config:\n        metadata = {"version": "1.0.0", "position": "input"}'
    return "contracts/data.py", text
