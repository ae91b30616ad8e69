"""A violation holds column, rule and rows as data; the sentence is made from them."""

import pickle
from typing import Any

import pandas as pd
import pandera.pandas
import pytest
from pandera.typing import Index

from baton_handoff.contracts import (
    Contract,
    ContractViolation,
    Rule,
    RuleKind,
    Violation,
    check,
    from_rows,
)
from baton_handoff.contracts.sentences import rule_text, violation_text
from baton_handoff.contracts.validation import accepts_each, accepts_rows
from trips import PandasTrip, Row


def checked(check: str, **arguments: Any) -> Rule:
    return Rule(RuleKind.CHECK, check=check, arguments=arguments)


def at_most(value: int) -> Rule:
    return checked("less_than_or_equal_to", max_value=value)


MISSING = Rule(RuleKind.MISSING)


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
        ("seats", (1, 9, 10), at_most(9), (2,)),
        ("price", (0.0, 1.0, -1.0), checked("greater_than", min_value=0), (0, 2)),
        ("town", ("Ulm", "Rome", "Ulm"), checked("isin", allowed_values=["Bonn", "Ulm"]), (1,)),
        ("code", ("A", "b", None), checked("str_matches", pattern="^[A-Z]+$"), (1,)),
        ("town", ("Ulm", None, "Ulm"), Rule(RuleKind.NULL), (1,)),
    ],
)
def test_a_value_out_of_bounds_is_named_with_its_rows(
    trip: Contract, rows: list[Row], name: str, values: Any, rule: Rule, where: tuple[int, ...]
) -> None:
    found = broken(trip, column(trip, rows, name, *values))
    assert found == [Violation(name, rule, where)]


def test_a_missing_column_is_named(trip: Contract, rows: list[Row]) -> None:
    table: Any = from_rows(trip, rows)
    without = table[[name for name in table.columns if name != "code"]]
    assert Violation("code", MISSING) in broken(trip, without)


def test_a_missing_key_is_named(trip: Contract, rows: list[Row]) -> None:
    table: Any = from_rows(trip, rows)
    without = table[["code", "price", "direct", "at"]]
    assert broken(trip, without) == [Violation(n, MISSING) for n in ("town", "seats")]


def test_an_extra_column_is_named(engine: str, trip: Contract, rows: list[Row]) -> None:
    table: Any = from_rows(trip, rows)
    wider = table.assign(more=1) if engine == "pandas" else table.with_columns(more=1)
    assert broken(trip, wider) == [Violation("more", Rule(RuleKind.NOT_IN_CONTRACT))]


def test_a_column_of_another_type_is_named_once(
    engine: str, trip: Contract, rows: list[Row]
) -> None:
    table: Any = from_rows(trip, rows)
    seats = table["seats"].astype("float64") if engine == "pandas" else table["seats"].cast(float)
    other = table.assign(seats=seats) if engine == "pandas" else table.with_columns(seats)
    assert Violation("seats", Rule(RuleKind.TYPE, expected="integer")) in broken(trip, other)


def test_a_repeated_key_is_named_by_its_columns(trip: Contract, rows: list[Row]) -> None:
    said = broken(trip, column(trip, rows, "seats", 1, 9, 1))
    assert [(v.column, v.rule) for v in said] == [(None, Rule(RuleKind.KEY, key=("seats", "town")))]


def test_a_rule_about_whole_rows_keeps_its_message(trip: Contract, rows: list[Row]) -> None:
    rows[0]["seats"] = 8
    (said,) = broken(trip, from_rows(trip, rows))
    rule = Rule(RuleKind.CHECK, check="few_seats", message="direct trips have few seats")
    assert said == Violation(None, rule, (0,))


def test_every_broken_rule_is_named(trip: Contract, rows: list[Row]) -> None:
    rows[0]["price"] = -1.0
    rows[1]["town"] = "Rome"
    assert {v.column for v in broken(trip, from_rows(trip, rows))} == {"price", "town"}


@pytest.mark.parametrize("index", [[7, 8, 9], ["x", "y", "z"], [0, 0, 0]], ids=str)
def test_rows_are_positions_for_any_index(rows: list[Row], index: list[Any]) -> None:
    table = from_rows(PandasTrip, [*rows[:2], {**rows[2], "price": -1.0}])
    assert isinstance(table, pd.DataFrame)
    table.index = pd.Index(index)
    assert broken(PandasTrip, table) == [
        Violation("price", checked("greater_than", min_value=0), (2,))
    ]


def test_a_violation_survives_pickling(trip: Contract, rows: list[Row]) -> None:
    with pytest.raises(ContractViolation) as caught:
        check(trip, column(trip, rows, "seats", 1, 9, 10))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.contract, again.violations) == (
        str(caught.value),
        caught.value.contract,
        caught.value.violations,
    )


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (MISSING, "is missing"),
        (Rule(RuleKind.NOT_IN_CONTRACT), "is not in the contract"),
        (Rule(RuleKind.TYPE, expected="integer"), "must be of type integer"),
        (Rule(RuleKind.ORDER), "the columns must be in the order of the contract"),
        (Rule(RuleKind.NULL), "must not be null"),
        (Rule(RuleKind.UNIQUE), "must be unique"),
        (Rule(RuleKind.KEY, key=("a", "b")), "each combination of a, b may occur once"),
        (at_most(9), "must be at most 9"),
        (checked("greater_than", min_value=0), "must be more than 0"),
        (checked("isin", allowed_values=["a", "b"]), "must be one of a, b"),
        (checked("str_startswith", string="N"), "must be text that begins with N"),
        (Rule(RuleKind.CHECK, check="few_seats"), "the check few_seats must hold"),
        (Rule(RuleKind.CHECK, check="few_seats", message="few seats"), "few seats"),
    ],
    ids=str,
)
def test_a_rule_is_rendered_from_its_fields(rule: Rule, text: str) -> None:
    assert rule_text(rule) == text


def test_a_violation_is_rendered_with_at_most_three_rows() -> None:
    many = violation_text(Violation("seats", at_most(9), (1, 4, 6, 8)))
    assert many == "column 'seats' must be at most 9 (4 rows: 1, 4, 6 …)"
    one = violation_text(Violation(None, Rule(RuleKind.CHECK, message="few seats"), (3,)))
    assert one == "few seats (row 3)"


def test_each_table_is_judged_as_it_is_alone(trip: Contract, rows: list[Row]) -> None:
    row = rows[0]
    tables = [
        [row],
        [row],  # repeats its key, but in another table
        [{**row, "seats": 0}],
        [{**row, "seats": 2}],
        [{**row, "town": "Rome"}],
        [{**row, "price": None}],
        [{name: value for name, value in row.items() if name != "code"}],
        [row, row],
    ]
    assert accepts_each(trip, tables) == [accepts_rows(trip, table) for table in tables]
    assert len(set(accepts_each(trip, tables))) == 2


def test_a_short_table_with_an_index_is_validated() -> None:
    class Numbered(pandera.pandas.DataFrameModel):
        row: Index[int] = pandera.pandas.Field(ge=0)
        a: int

    assert len(check(Numbered, pd.DataFrame({"a": [1]}))) == 1
    with pytest.raises(ContractViolation, match="column 'index' must be at least 0"):
        check(Numbered, pd.DataFrame({"a": [1]}, index=[-1]))


def test_an_index_of_several_levels_is_validated() -> None:
    class Grouped(pandera.pandas.DataFrameModel):
        group: Index[str]
        row: Index[int] = pandera.pandas.Field(ge=0)
        a: int

    for levels in ([("x", -1)], [-1]):
        table = pd.DataFrame({"a": [1]}, index=pd.Index(levels))
        with pytest.raises(ContractViolation, match="the index breaks a rule"):
            check(Grouped, table)
