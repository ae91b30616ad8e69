"""Whatever breaks a contract is named by column, rule and row."""

import pickle
from typing import Any

import pandas as pd
import pytest

from baton_handoff.contracts import Contract, ContractViolation, Violation, check, from_rows
from trips import PandasTrip, Row


def broken(contract: Contract, table: Any) -> list[Violation]:
    with pytest.raises(ContractViolation) as caught:
        check(contract, table)
    return list(caught.value.violations)


def column(contract: Contract, rows: list[Row], name: str, *values: Any) -> Any:
    """A table that the contract accepts, but for the values of one column."""
    changed = [{**row, name: value} for row, value in zip(rows, values, strict=True)]
    return from_rows(contract, changed)


def test_a_table_that_meets_its_contract_is_returned(trip: Contract, rows: list[Row]) -> None:
    table: Any = from_rows(trip, rows)
    assert check(trip, table).equals(table)


@pytest.mark.parametrize(
    ("name", "values", "rule", "where"),
    [
        ("seats", (1, 9, 10), "must be less than or equal to 9", (2,)),
        ("price", (0.0, 1.0, -1.0), "must be greater than 0", (0, 2)),
        ("town", ("Ulm", "Rome", "Ulm"), "must be one of ['Ulm', 'Bonn']", (1,)),
        ("code", ("A", "b", None), "must be text that matches '^[A-Z]+$'", (1,)),
        ("town", ("Ulm", None, "Ulm"), "must not be null", (1,)),
    ],
)
def test_a_value_out_of_bounds_is_named_with_its_rows(
    trip: Contract, rows: list[Row], name: str, values: Any, rule: str, where: tuple[int, ...]
) -> None:
    found = broken(trip, column(trip, rows, name, *values))
    assert found == [Violation(name, rule, where)]


def test_a_missing_column_is_named(trip: Contract, rows: list[Row]) -> None:
    table: Any = from_rows(trip, rows)
    without = table[[name for name in table.columns if name != "code"]]
    assert Violation("code", "is missing") in broken(trip, without)


def test_a_missing_key_is_named(trip: Contract, rows: list[Row]) -> None:
    table: Any = from_rows(trip, rows)
    without = table[["code", "price", "direct", "at"]]
    assert broken(trip, without) == [Violation(n, "is missing") for n in ("town", "seats")]


def test_an_extra_column_is_named(engine: str, trip: Contract, rows: list[Row]) -> None:
    table: Any = from_rows(trip, rows)
    wider = table.assign(more=1) if engine == "pandas" else table.with_columns(more=1)
    assert broken(trip, wider) == [Violation("more", "is not in the contract")]


def test_a_column_of_another_type_is_named_once(
    engine: str, trip: Contract, rows: list[Row]
) -> None:
    table: Any = from_rows(trip, rows)
    seats = table["seats"].astype("float64") if engine == "pandas" else table["seats"].cast(float)
    other = table.assign(seats=seats) if engine == "pandas" else table.with_columns(seats)
    assert Violation("seats", "must be of type integer") in broken(trip, other)


def test_a_repeated_key_is_named_by_its_columns(trip: Contract, rows: list[Row]) -> None:
    said = broken(trip, column(trip, rows, "seats", 1, 9, 1))
    assert [(v.column, v.rule) for v in said] == [
        (None, "each combination of seats, town may occur once")
    ]


def test_a_rule_about_whole_rows_is_said_in_its_own_words(trip: Contract, rows: list[Row]) -> None:
    rows[0]["seats"] = 8
    (said,) = broken(trip, from_rows(trip, rows))
    assert (said.rule, said.rows) == ("direct trips have few seats", (0,))


def test_every_broken_rule_is_named(trip: Contract, rows: list[Row]) -> None:
    rows[0]["price"] = -1.0
    rows[1]["town"] = "Rome"
    assert {v.column for v in broken(trip, from_rows(trip, rows))} == {"price", "town"}


@pytest.mark.parametrize("index", [[7, 8, 9], ["x", "y", "z"], [0, 0, 0]], ids=str)
def test_rows_are_positions_whatever_the_index_says(rows: list[Row], index: list[Any]) -> None:
    table = from_rows(PandasTrip, [*rows[:2], {**rows[2], "price": -1.0}])
    assert isinstance(table, pd.DataFrame)
    table.index = pd.Index(index)
    assert broken(PandasTrip, table) == [Violation("price", "must be greater than 0", (2,))]


def test_a_violation_survives_pickling(trip: Contract, rows: list[Row]) -> None:
    with pytest.raises(ContractViolation) as caught:
        check(trip, column(trip, rows, "seats", 1, 9, 10))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.contract, again.violations) == (
        str(caught.value),
        caught.value.contract,
        caught.value.violations,
    )


def test_a_violation_says_at_most_three_rows() -> None:
    said = str(Violation("seats", "must be less than 9", (1, 4, 6, 8)))
    assert said == "column 'seats': must be less than 9 (4 rows: 1, 4, 6 …)"
