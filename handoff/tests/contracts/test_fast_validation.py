"""What the quick way accepts, pandera accepts too; and it accepts what services are asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandera.api.base.schema import BaseSchema

from baton_handoff.contracts import (
    Contract,
    ContractViolation,
    check,
    engine_of,
    from_json,
    from_rows,
)
from baton_handoff.contracts.agreement import rows_around, rows_near
from baton_handoff.contracts.fast_validation import FEW, accepts, check_short_tables_quickly
from trips import ROWS, PandasTrip, PolarsTrip, Row

TRIPS = [PandasTrip, PolarsTrip]


@pytest.fixture(params=TRIPS, ids=["pandas", "polars"])
def trip(request: pytest.FixtureRequest) -> Contract:
    contract: Contract = request.param
    return contract


def quickly(contract: Contract, table: Any) -> bool:
    return accepts(contract.to_schema(), table, engine_of(contract))


def by_pandera(contract: Contract, table: Any) -> bool:
    try:
        check(contract, table)
    except ContractViolation:
        return False
    return True


def test_rows_that_the_contract_accepts_are_accepted_quickly(trip: Contract) -> None:
    assert quickly(trip, from_rows(trip, ROWS))
    assert all(quickly(trip, from_rows(trip, [row])) for row in ROWS)


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
def test_what_a_rule_refuses_is_not_accepted(trip: Contract, change: Row) -> None:
    """The last one has no fault of its own: it repeats the first row's key."""
    rows = [ROWS[0], ROWS[1] | {"town": "Ulm"} | change]
    table = from_rows(trip, rows)
    assert not by_pandera(trip, table)
    assert not quickly(trip, table)


def test_on_both_sides_of_every_rule_nothing_is_accepted_that_pandera_refuses(
    trip: Contract,
) -> None:
    for rows in rows_around(trip, ROWS):
        table = from_json(trip, rows)
        assert by_pandera(trip, table) or not quickly(trip, table)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize("contract", TRIPS, ids=["pandas", "polars"])
def test_nothing_is_accepted_that_pandera_refuses(contract: Contract, data: st.DataObject) -> None:
    table = from_json(contract, data.draw(rows_near(contract, ROWS)))
    assert by_pandera(contract, table) or not quickly(contract, table)


@pytest.fixture
def quick_pandera() -> Iterator[None]:
    before = dict(BaseSchema.BACKEND_REGISTRY)
    check_short_tables_quickly()
    yield
    BaseSchema.BACKEND_REGISTRY |= before


@pytest.mark.usefixtures("quick_pandera")
def test_pandera_takes_the_quick_way_and_still_says_what_is_wrong(
    trip: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def noted(schema: Any, *given: Any) -> bool:
        asked.append(schema)
        return accepts(schema, *given)

    monkeypatch.setattr("baton_handoff.contracts.fast_validation.accepts", noted)
    table = from_rows(trip, ROWS)
    assert check(trip, table) is table
    with pytest.raises(ContractViolation, match="column 'seats' must be at most 9"):
        check(trip, from_rows(trip, [ROWS[0] | {"seats": 10, "direct": False}]))
    long = from_rows(trip, [ROWS[0]] * (FEW + 1))
    before = len(asked)
    with pytest.raises(ContractViolation, match="each combination"):
        check(trip, long)
    assert len(asked) == before
