"""Ingest: write the team's table to data/raw, with the names and types of its contract."""

from pathlib import Path

import narwhals as nw
from baton_handoff.contracts.table_files import read_source
from baton_handoff.core.command import in_one_sentence

from ..contracts import Source
from ..contracts.data import TARGET
from ..contracts.engine import BACKEND
from .files import RAW, params, write


def main() -> None:
    """Write the rows of the source that have a target; the others can't be used for training."""
    source = params("source")
    joined = source.get("joined", [])
    # source: source
    table = read_source(
        Path(source["file"]),
        Source,
        source["columns"],
        joined=joined,
        written=source.get("format"),
    )
    known = table.filter(table[TARGET].is_valid())
    write(nw.from_arrow(known, backend=BACKEND).to_native(), RAW / "source.parquet")
    print(f"Source: {len(table):,} rows, {len(known):,} of them with a target")


if __name__ == "__main__":
    raise SystemExit(in_one_sentence(main))
