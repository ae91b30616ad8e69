"""What is validated with numpy, as a table or as columns: nothing that pandera refuses."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from baton_handoff.contracts import (
    Contract,
    ContractViolation,
    RuleKind,
    check,
    from_json,
    from_rows,
)
from baton_handoff.contracts.agreement import rows_around, rows_near
from baton_handoff.contracts.columns import holds
from baton_handoff.contracts.fast_validation import LONG, FastValidation, use_fast_validation
from baton_handoff.core.errors import HandoffError
from generated_code import row_model
from trips import AT, ROWS, PandasTrip, PolarsTrip, Row


def pandera_accepts(contract: Contract, table: Any) -> bool:
    try:
        check(contract, table)
    except ContractViolation:
        return False
    return True


def accepts_columns(contract: Contract, rows: Sequence[Row]) -> bool:
    validation = FastValidation(contract)
    try:
        return validation.accepts_columns(validation.columns(rows))
    except (ValueError, TypeError):  # what the API has refused before
        return False


def test_columns_that_meet_the_contract_are_accepted() -> None:
    assert accepts_columns(PandasTrip, ROWS)
    assert all(accepts_columns(PandasTrip, [row]) for row in ROWS)


def test_rows_that_meet_the_contract_are_accepted(trip: Contract) -> None:
    validation = FastValidation(trip)
    assert validation.accepts(from_rows(trip, ROWS))
    assert all(validation.accepts(from_rows(trip, [row])) for row in ROWS)


@pytest.mark.parametrize(
    "change",
    [
        {"town": "Rome"},
        {"town": None},
        {"code": "a"},
        {"seats": 0},
        {"seats": 10},
        {"price": 0.0},
        {"direct": True},
        {"seats": 1},
    ],
    ids=str,
)
def test_a_row_that_violates_a_rule_is_not_accepted(trip: Contract, change: Row) -> None:
    """The last change repeats the key of the first row."""
    rows = [ROWS[0], ROWS[1] | {"town": "Ulm"} | change]
    table = from_rows(trip, rows)
    assert not pandera_accepts(trip, table)
    assert not FastValidation(trip).accepts(table)
    assert not accepts_columns(trip, rows)


def test_around_every_rule_nothing_is_accepted_that_pandera_refuses(trip: Contract) -> None:
    validation = FastValidation(trip)
    for rows in rows_around(trip, ROWS):
        table = from_json(trip, rows)
        certain = validation.accepts(table) or accepts_columns(trip, read_by_the_api(rows))
        assert pandera_accepts(trip, table) or not certain


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize("contract", [PandasTrip, PolarsTrip], ids=["pandas", "polars"])
def test_nothing_is_accepted_that_pandera_refuses(contract: Contract, data: st.DataObject) -> None:
    rows = data.draw(rows_near(contract, ROWS))
    table = from_json(contract, rows)
    certain = FastValidation(contract).accepts(table)
    certain |= accepts_columns(contract, read_by_the_api(rows))
    assert pandera_accepts(contract, table) or not certain


ROW_MODEL = row_model(PandasTrip)


def read_by_the_api(rows: Sequence[Row]) -> list[Row]:
    """The rows with values in the types of the contract; none if the API refuses one of them."""
    try:
        return [ROW_MODEL.model_validate(row).model_dump() for row in rows]
    except ValidationError:
        return []


RULES: list[tuple[Callable[[Any], Any], bool]] = [
    (lambda t: t["price"] > 1, True),
    (lambda t: t["price"] + t["seats"] <= 3, True),
    (lambda t: t["at"] + timedelta(days=1) > AT, True),
    (lambda t: ~t["price"].isna() & t["direct"], True),
    # What numpy calculates otherwise than the engines, or not at all, is for the engine.
    (lambda t: t["seats"] % 1 == 0, False),
    (lambda t: t["seats"] / 0 > 0, False),
    (lambda t: t["price"] < t["price"].max() + 1, False),
    (lambda t: t["code"].str.len() == 1, False),
    (lambda t: t["at"].dt.year == 2013, False),
    (lambda t: t["seats"], False),
    (lambda _: True, False),
]


@pytest.mark.parametrize(("rule", "known"), RULES, ids=map(str, range(len(RULES))))
def test_a_rule_about_rows_is_calculated_without_a_table_if_numpy_agrees(
    rule: Callable[[Any], Any], known: bool
) -> None:
    columns = FastValidation(PandasTrip).columns(ROWS[:1])
    assert holds(rule, columns, "pandas") is known
    if known:
        assert rule(from_rows(PandasTrip, ROWS[:1])).all()


def test_a_missing_value_is_left_to_the_engine_that_has_its_own_rules_for_it() -> None:
    columns = FastValidation(PandasTrip).columns([ROWS[1]])
    assert holds(lambda t: t["price"].isna(), columns, "pandas")
    assert not holds(lambda t: t["price"].is_null(), columns, "polars")
    assert not holds(lambda t: t["code"] == t["code"], columns, "pandas")


@pytest.mark.parametrize(
    "rules",
    [
        {"coerce": True},
        {"isin": [0.5, 1.5]},
        {"ge": 0, "ignore_na": False},
        {"default": 1.5},
        {"alias": "^a", "regex": True},
    ],
    ids=str,
)
def test_a_contract_with_other_rules_is_left_to_pandera(pa: Any, rules: dict[str, Any]) -> None:
    body = {"__annotations__": {"price": float}, "price": pa.Field(**rules), "__module__": __name__}
    contract: Contract = type("Price", (pa.DataFrameModel,), body)
    with pytest.raises(HandoffError):
        FastValidation(contract)
    use_fast_validation([contract])
    assert "validate" not in vars(contract)


@pytest.fixture
def fast_trip(trip: Contract) -> Iterator[Contract]:
    use_fast_validation([trip])
    yield trip
    del trip.validate


def test_pandera_reports_violations(fast_trip: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    validated = []
    accepts = FastValidation.accepts

    def noted(self: FastValidation, table: Any) -> bool:
        validated.append(len(table))
        return accepts(self, table)

    monkeypatch.setattr(FastValidation, "accepts", noted)
    table = from_rows(fast_trip, ROWS)
    assert check(fast_trip, table) is table
    with pytest.raises(ContractViolation) as caught:
        check(fast_trip, from_rows(fast_trip, [ROWS[0] | {"seats": 10, "direct": False}]))
    assert [violation.column for violation in caught.value.violations] == ["seats"]
    with pytest.raises(ContractViolation) as caught:
        check(fast_trip, from_rows(fast_trip, [ROWS[0]] * (LONG + 1)))
    assert [violation.rule.kind for violation in caught.value.violations] == [RuleKind.KEY]
    assert validated == [3, 1, LONG + 1]


@pytest.mark.parametrize(
    "change",
    [{}, {"town": None}, {"name": None}, {"name": "a"}, {"seats": 1}, {"price": 0.0}],
    ids=str,
)
def test_a_long_table_is_accepted_as_pandera_does(pa: Any, change: Row) -> None:
    class Seat(pa.DataFrameModel):
        town: str = pa.Field(isin=["Ulm"])
        name: str = pa.Field(nullable=True, str_matches="^[A-Z]+$")
        seats: int = pa.Field(ge=1)
        price: float = pa.Field(gt=0)

        class Config:
            unique = ["town", "seats"]

    one = {"town": "Ulm", "name": "A", "price": 1.5}
    rows: list[Row] = [{**one, "seats": seat + 1} for seat in range(LONG + 1)]
    table = from_rows(Seat, [*rows[:-1], rows[-1] | change])
    accepted = pandera_accepts(Seat, table)
    assert accepted is (change in ({}, {"name": None}))
    assert FastValidation(Seat).accepts(table) is accepted


def test_a_derived_contract_keeps_rules_of_its_own(fast_trip: Any, pa: Any) -> None:
    class Cheap(fast_trip):
        price: float = pa.Field(nullable=True, lt=1)

    assert not pandera_accepts(Cheap, from_rows(Cheap, ROWS))


def test_a_lazy_table_is_left_to_pandera(fast_trip: Any, engine: str) -> None:
    if engine == "polars":
        table: Any = from_rows(fast_trip, ROWS)
        assert fast_trip.validate(table.lazy()).collect().equals(table)
