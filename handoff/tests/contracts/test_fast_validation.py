"""Short tables are validated by row models, which accept nothing that pandera refuses."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton_handoff.contracts import (
    Contract,
    ContractViolation,
    RuleKind,
    check,
    from_json,
    from_rows,
)
from baton_handoff.contracts.agreement import rows_around, rows_near
from baton_handoff.contracts.fast_validation import MAX_ROWS, RowValidation, use_row_models
from baton_handoff.core.errors import HandoffError
from trips import ROWS, PandasTrip, PolarsTrip, Row


def pandera_accepts(contract: Contract, table: Any) -> bool:
    try:
        check(contract, table)
    except ContractViolation:
        return False
    return True


def test_rows_that_meet_the_contract_are_accepted(trip: Contract) -> None:
    validation = RowValidation(trip)
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
    assert not RowValidation(trip).accepts(table)


def test_around_every_rule_nothing_is_accepted_that_pandera_refuses(trip: Contract) -> None:
    validation = RowValidation(trip)
    for rows in rows_around(trip, ROWS):
        table = from_json(trip, rows)
        assert pandera_accepts(trip, table) or not validation.accepts(table)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize("contract", [PandasTrip, PolarsTrip], ids=["pandas", "polars"])
def test_nothing_is_accepted_that_pandera_refuses(contract: Contract, data: st.DataObject) -> None:
    table = from_json(contract, data.draw(rows_near(contract, ROWS)))
    assert pandera_accepts(contract, table) or not RowValidation(contract).accepts(table)


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
def test_a_contract_with_rules_beyond_row_models_is_left_to_pandera(
    pa: Any, rules: dict[str, Any]
) -> None:
    body = {"__annotations__": {"price": float}, "price": pa.Field(**rules), "__module__": __name__}
    contract: Contract = type("Price", (pa.DataFrameModel,), body)
    with pytest.raises(HandoffError):
        RowValidation(contract)
    use_row_models([contract])
    assert "validate" not in vars(contract)


@pytest.fixture
def fast_trip(trip: Contract) -> Iterator[Contract]:
    use_row_models([trip])
    yield trip
    del trip.validate


def test_pandera_validates_long_tables_and_reports_violations(
    fast_trip: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    validated = []
    accepts = RowValidation.accepts

    def noted(self: RowValidation, table: Any) -> bool:
        validated.append(len(table))
        return accepts(self, table)

    monkeypatch.setattr(RowValidation, "accepts", noted)
    table = from_rows(fast_trip, ROWS)
    assert check(fast_trip, table) is table
    with pytest.raises(ContractViolation) as caught:
        check(fast_trip, from_rows(fast_trip, [ROWS[0] | {"seats": 10, "direct": False}]))
    assert [violation.column for violation in caught.value.violations] == ["seats"]
    with pytest.raises(ContractViolation) as caught:
        check(fast_trip, from_rows(fast_trip, [ROWS[0]] * (MAX_ROWS + 1)))
    assert [violation.rule.kind for violation in caught.value.violations] == [RuleKind.KEY]
    assert validated == [3, 1]


def test_a_derived_contract_keeps_rules_of_its_own(fast_trip: Any, pa: Any) -> None:
    class Cheap(fast_trip):
        price: float = pa.Field(nullable=True, lt=1)

    assert not pandera_accepts(Cheap, from_rows(Cheap, ROWS))


def test_a_lazy_table_is_left_to_pandera(fast_trip: Any, engine: str) -> None:
    if engine == "polars":
        table: Any = from_rows(fast_trip, ROWS)
        assert fast_trip.validate(table.lazy()).collect().equals(table)
