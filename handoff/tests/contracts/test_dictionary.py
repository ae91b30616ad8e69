"""The data dictionary says what the code says, with examples that the contracts accept."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from baton_handoff.contracts import Contract, check, from_rows
from baton_handoff.contracts.dictionary import DictionaryTable, golden_rows, tables_of
from baton_handoff.integrations.docs_site.pages import render_page
from trips import AT, ROWS, Row

GOLDEN = [row | {"at": row["at"] and AT.isoformat()} for row in ROWS]


def entry(contract: Contract, known: list[Row] | None = None) -> DictionaryTable:
    """What the dictionary says of a contract."""
    room = ModuleType("room")
    room.__dict__.update({"__all__": ["Trip"], "Trip": contract})
    (table,) = tables_of(room, Path(__file__).parent, known or [])
    return table


def accepted(contract: Contract, row: Row) -> bool:
    """Whether a contract accepts an example; the check raises if it does not."""
    check(contract, from_rows(contract, [row | {"at": AT if row["at"] else None}]))
    return True


def test_every_column_is_described_as_declared(trip: Contract) -> None:
    table = entry(trip)
    assert [(c.name, c.type, c.nullable) for c in table.columns] == [
        ("town", "string", False),
        ("code", "string", True),
        ("seats", "integer", False),
        ("price", "number", True),
        ("direct", "boolean", False),
        ("at", "timestamp[UTC]", True),
    ]
    assert "direct trips have few seats" in map(str, table.rules)
    assert dict(table.metadata) == {"position": "input", "version": "1.0.0"}


def test_a_golden_row_with_few_gaps_is_the_example(trip: Contract) -> None:
    example = entry(trip, [GOLDEN[1], GOLDEN[0]]).example
    assert example is not None
    assert (example.row, example.generated) == (GOLDEN[0], ())


def test_a_golden_row_that_is_refused_is_no_example(trip: Contract) -> None:
    example = entry(trip, [GOLDEN[0] | {"seats": 10}, GOLDEN[1]]).example
    assert example is not None
    assert example.row == GOLDEN[1]


def test_a_column_that_is_empty_in_the_example_has_a_value_of_its_own(trip: Contract) -> None:
    examples = {column.name: column.example for column in entry(trip, [GOLDEN[1]]).columns}
    assert examples["seats"] == 9
    assert None not in examples.values()
    assert accepted(trip, {**examples, "direct": False})


def test_a_golden_row_with_few_missing_columns_is_completed_and_they_are_listed(
    trip: Contract,
) -> None:
    known = {name: value for name, value in GOLDEN[2].items() if name not in ("price", "at")}
    table = entry(trip, [known])
    assert table.example is not None
    assert table.example.generated == ("price", "at")
    assert accepted(trip, table.example.row)
    assert "made up from the rules: `price`, `at`" in render_page("contract", table=table)


def test_without_golden_rows_an_example_is_made_up(trip: Contract) -> None:
    table = entry(trip)
    assert table.example is not None
    assert list(table.example.row) == list(table.example.generated) == list(ROWS[0])
    assert accepted(trip, table.example.row)
    assert "Made up from the rules." in render_page("contract", table=table)


def test_an_example_keeps_rules_about_several_columns(pa: ModuleType) -> None:
    class Span(pa.DataFrameModel):  # type: ignore[name-defined]
        first: int = pa.Field(ge=0)
        last: int = pa.Field(ge=0)
        price: float = pa.Field(ge=0)

        class Config:
            metadata = {"version": "1.0.0"}
            ordered = True

        @pa.dataframe_check(error="it ends after it began")  # type: ignore[untyped-decorator]
        def forward(cls, table: Any) -> Any:
            if hasattr(table, "lazyframe"):
                first, last = (pl.col(name) for name in ("first", "last"))
                return table.lazyframe.select(last > first)
            return table["last"] > table["first"]

    example = entry(Span).example
    assert example is not None
    assert example.row["last"] > example.row["first"]


def test_where_no_row_is_accepted_none_is_shown(pa: ModuleType) -> None:
    class Nothing(pa.DataFrameModel):  # type: ignore[name-defined]
        amount: int = pa.Field(ge=1, le=0)

        class Config:
            metadata = {"version": "1.0.0"}

    table = entry(Nothing)
    assert table.example is None
    assert "No example that keeps all rules was found." in render_page("contract", table=table)


def test_golden_rows_are_found_however_deep_they_lie(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps({"Trips": [{"a": 1}], "more": {"b": [{"a": 2}]}}))
    (tmp_path / "two.json").write_text(json.dumps([{"a": 3}, 4]))
    assert golden_rows(tmp_path) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert golden_rows(tmp_path / "nowhere") == []


def test_markup_in_a_description_is_escaped(pa: ModuleType) -> None:
    fields = {"__annotations__": {"a": str}, "a": pa.Field(alias="<b>|", isin=["</td>", "*x*"])}
    config = type("Config", (), {"metadata": {"version": "1.0.0"}})
    stated = {**fields, "Config": config, "__module__": __name__}
    page = render_page("contract", table=entry(type("Odd", (pa.DataFrameModel,), stated)))
    assert "<code>&lt;b&gt;|</code>" in page
    assert "one of *x*, &lt;/td&gt;</td>" in page


def test_a_long_list_of_values_is_collapsed(pa: ModuleType) -> None:
    values = [f"v{number}" for number in range(9)]
    config = type("Config", (), {"metadata": {"version": "1.0.0"}})
    stated = {"__annotations__": {"a": str}, "a": pa.Field(isin=values), "Config": config}
    long = type("Long", (pa.DataFrameModel,), stated | {"__module__": __name__})
    page = render_page("contract", table=entry(long))
    assert "<summary>one of 9 values</summary>v0, v1," in page


@pytest.mark.parametrize("known", [[], [{"town": "Ulm"}], [{"other": 1}], [{}]])
def test_rows_that_say_little_are_not_taken(trip: Contract, known: list[Row]) -> None:
    example = entry(trip, known).example
    assert example is not None
    assert len(example.generated) == len(example.row)
