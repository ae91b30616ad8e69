"""Tables keep their values between rows, pandas and polars."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest

from baton_handoff.contracts import (
    Contract,
    Engine,
    check,
    engine_of,
    from_rows,
    to_engine,
    to_rows,
)
from trips import PandasTrip, PolarsTrip, Row

CONTRACTS: dict[Engine, Contract] = {"pandas": PandasTrip, "polars": PolarsTrip}


def test_a_contract_knows_its_engine() -> None:
    assert {engine: engine_of(contract) for engine, contract in CONTRACTS.items()} == {
        engine: engine for engine in get_args(Engine)
    }


def test_rows_come_back_as_they_went(trip: Contract, rows: list[Row]) -> None:
    assert to_rows(from_rows(trip, rows)) == rows


def test_a_moment_in_another_offset_is_the_same_moment(trip: Contract, rows: list[Row]) -> None:
    rows[0]["at"] = datetime(2013, 7, 1, 2, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    table = check(trip, from_rows(trip, rows))
    assert to_rows(table)[0]["at"] == datetime(2013, 6, 30, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize("column", ["code", "price", "at"])
def test_a_column_of_nulls_keeps_its_type(trip: Contract, rows: list[Row], column: str) -> None:
    table = check(trip, from_rows(trip, [{**row, column: None} for row in rows]))
    assert [row[column] for row in to_rows(table)] == [None] * len(rows)


def test_a_column_that_no_row_has_is_null(trip: Contract, rows: list[Row]) -> None:
    short = [{key: value for key, value in row.items() if key != "price"} for row in rows]
    assert [row["price"] for row in to_rows(from_rows(trip, short))] == [None] * len(rows)


def test_no_rows_are_a_table_too(trip: Contract) -> None:
    assert to_rows(check(trip, from_rows(trip, []))) == []


@pytest.mark.parametrize("to", get_args(Engine))
def test_a_table_meets_the_same_contract_in_the_other_engine(
    trip: Contract, rows: list[Row], to: Engine
) -> None:
    table = to_engine(from_rows(trip, rows), to)
    assert engine_of(CONTRACTS[to]) == type(table).__module__.split(".")[0]
    assert to_rows(check(CONTRACTS[to], table)) == rows


@pytest.mark.parametrize("to", get_args(Engine))
@pytest.mark.parametrize("column", ["code", "price", "at"])
def test_a_column_of_nulls_survives_the_other_engine(
    trip: Contract, rows: list[Row], to: Engine, column: str
) -> None:
    nulls: list[dict[str, Any]] = [{**row, column: None} for row in rows]
    assert to_rows(check(CONTRACTS[to], to_engine(from_rows(trip, nulls), to))) == nulls
