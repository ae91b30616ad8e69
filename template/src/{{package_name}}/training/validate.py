"""Validate: check every source against its contract; record its rows and period for the lineage."""

import json
import sys
from typing import Any

import narwhals as nw
from baton_handoff.contracts import ContractViolation, check, contracts_at
from baton_handoff.core.command import in_one_sentence

from .. import contracts
from ..contracts.engine import BACKEND
from .files import RAW, REPORTS


def main() -> None:
    """Check all sources and write reports/sources.json; exit with 1 if one breaks its contract."""
    covered, broken = {}, []
    for contract in contracts_at(contracts, "source"):
        file = RAW / f"{contract.__name__.lower()}.parquet"
        table = nw.read_parquet(str(file), backend=BACKEND)
        try:
            check(contract, table.to_native())
        except ContractViolation as violation:
            broken.append(f"{file}: {violation}")
        covered[contract.__name__] = {"rows": len(table), **_period(table)}
        print(f"{contract.__name__}: {covered[contract.__name__]}")
    if broken:
        sys.exit("\n".join(broken))
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "sources.json").write_text(json.dumps(covered, indent=2) + "\n", encoding="utf-8")


def _period(table: nw.DataFrame[Any]) -> dict[str, str]:
    """The first and the last timestamp of a table; empty for a table without timestamps."""
    moments = table.select(nw.selectors.datetime(time_zone="*"))
    if not moments.columns:
        return {}
    moment = moments[moments.columns[0]]
    return {"from": str(moment.min()), "to": str(moment.max())}


if __name__ == "__main__":
    raise SystemExit(in_one_sentence(main))
