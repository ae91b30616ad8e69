"""Ingest reads each delivery of a table as the first one, or refuses it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
import yaml
from pyarrow import table as arrow_table

from baton_handoff.contracts import Contract
from baton_handoff.contracts.column_values import infer_columns
from baton_handoff.contracts.raw_tables import open_table
from baton_handoff.contracts.table_files import read_source
from baton_handoff.contracts.table_profile import profile_table
from baton_handoff.core.errors import HandoffError

FIRST = (
    "Bericht\n\nTag;Größe;Preis;aktiv;Art\n" + "01.02.2024;1.234,5;5 €;ja; a\n?;;-;nein;b\n" * 20
)
LATER = "Bericht\n\nTag;Größe;Preis;aktiv;Art\n31.12.2025;7,5;1.000 €;nein;c\n"


@pytest.fixture
def contract(pa: Any, engine: str) -> Contract:
    utc = pl.Datetime("us", "UTC") if engine == "polars" else pd.DatetimeTZDtype("us", "UTC")
    names = {"tag": utc, "groesse": float, "preis": float, "aktiv": bool, "art": str}
    fields = {name: pa.Column(kind, nullable=True) for name, kind in names.items()}

    class Delivery(pa.DataFrameModel):
        @classmethod
        def to_schema(cls) -> Any:
            return pa.DataFrameSchema(fields)

    made: Contract = Delivery
    return made


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The section `source` of params.yaml, as the first delivery gives it."""
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_bytes(FIRST.encode("cp1252"))
    raw = open_table(Path("t.csv"))
    columns = {name: column.form for name, column in infer_columns(raw.columns).items()}
    short = {"Tag": "tag", "Größe": "groesse", "Preis": "preis", "aktiv": "aktiv", "Art": "art"}
    parameters = {
        "file": "t.csv",
        "format": raw.format.model_dump(exclude_unset=True),
        "columns": {short[n]: {"name": n, **form.parameters()} for n, form in columns.items()},
    }
    return dict(yaml.safe_load(yaml.safe_dump(parameters)))


def test_a_later_delivery_is_read_in_the_form_of_the_first(
    contract: Contract, source: dict[str, Any]
) -> None:
    Path("t.csv").write_bytes(LATER.encode("cp1252"))
    table = read_source(Path("t.csv"), contract, source["columns"], written=source["format"])
    (row,) = table.to_pylist()
    assert row == {
        "tag": datetime(2025, 12, 31, tzinfo=UTC),
        "groesse": 7.5,
        "preis": 1000.0,
        "aktiv": False,
        "art": "c",
    }


def test_the_ingest_of_an_earlier_release_finds_the_format_in_params_yaml(
    contract: Contract, source: dict[str, Any]
) -> None:
    # Read without its format, this table would have other columns.
    Path("params.yaml").write_text(yaml.safe_dump({"source": source}))
    Path("t.csv").write_bytes(LATER.encode("cp1252"))
    assert read_source(Path("t.csv"), contract, source["columns"]).num_rows == 1


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("31.12.2025", "2025-12-31", "'Tag' of t.csv is not of type timestamp"),
        ("7,5", "7.5", "'Größe' of t.csv is not of type number"),
        ("nein", "nie", "'aktiv' of t.csv is not of type boolean"),
        ("Preis", "Kosten", "lacks columns of Delivery: 'Preis'"),
    ],
    ids=["a date", "a decimal point", "a word", "a column"],
)
def test_a_delivery_in_another_form_is_refused(
    contract: Contract, source: dict[str, Any], old: str, new: str, named: str
) -> None:
    Path("t.csv").write_bytes(LATER.replace(old, new).encode("cp1252"))
    with pytest.raises(HandoffError, match=named):
        read_source(Path("t.csv"), contract, source["columns"], written=source["format"])


def test_a_target_of_numbers_and_texts_is_refused_with_a_way_out() -> None:
    texts = [str(n) for n in range(98)] + ["unbekannt"] * 2
    table = arrow_table({"x": [n % 7 for n in range(100)], "y": texts})
    with pytest.raises(HandoffError, match=r"'unbekannt' in 2 rows: .* with --missing"):
        profile_table(infer_columns(table, target="y"), "y", None, ())
    found = infer_columns(table, target="y", missing=["unbekannt"])
    assert profile_table(found, "y", None, ()).classes == ()
