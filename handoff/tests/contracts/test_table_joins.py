"""A further table is joined by its keys: each row stays, in its order, and nothing is guessed."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from baton_handoff.contracts.table_joins import Join, join_table, unmatched
from baton_handoff.core.errors import HandoffError

ORDERS = pa.table(
    {"customer": [3, 1, None, 3, 9], "day": ["b", "a", "a", "a", "b"], "amount": [5, 6, 7, 8, 9]}
)
CUSTOMERS = pa.table({"town": ["Ulm", "Bonn", "Rome"], "customer": [1, 2, 3]})


def joined(other: dict[str, list[Any]] | pa.Table, *keys: str) -> list[dict[str, Any]]:
    other = other if isinstance(other, pa.Table) else pa.table(other)
    table = join_table(ORDERS, other, Join(Path("other.csv"), keys))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def test_each_row_keeps_its_place_and_gets_the_columns_of_its_key() -> None:
    rows = joined(CUSTOMERS, "customer")
    assert [row["amount"] for row in rows] == ORDERS["amount"].to_pylist()
    assert [row["town"] for row in rows] == ["Rome", "Ulm", None, "Rome", None]
    assert [*rows[0]] == ["customer", "day", "amount", "town"]
    assert unmatched(ORDERS, CUSTOMERS, Join(Path("other.csv"), ("customer",))) == 2


def test_several_keys_together_identify_a_row() -> None:
    other = {"customer": [3, 3], "day": ["a", "b"], "rate": [0.5, 0.7]}
    assert [row["rate"] for row in joined(other, "customer", "day")] == [0.7, None, None, 0.5, None]


def test_a_key_with_gaps_is_a_number_in_both_tables() -> None:
    other = {"customer": [1.0, 3.0, None], "town": ["Ulm", "Rome", "?"]}
    assert [row["town"] for row in joined(other, "customer")] == ["Rome", "Ulm", None, "Rome", None]


@pytest.mark.parametrize(
    ("other", "keys", "message"),
    [
        ({"town": ["Ulm"]}, ["customer"], "other.csv has no column 'customer' to join on"),
        ({"id": [1]}, ["id"], "The table has no column 'id' to join on: name one that both"),
        ({"customer": [1]}, ["Customr"], "'Customr' to join on; did you mean `customer`?"),
        ({"customer": ["01"]}, ["customer"], "'customer' can't join other.csv: it is of type str"),
        ({"customer": [1], "day": ["a"]}, ["customer"], "both have a column 'day'"),
        ({"customer": [1, 3, 3], "x": [1, 2, 3]}, ["customer"], "has 2 rows with customer = 3"),
    ],
)
def test_tables_that_cannot_be_joined_are_refused_by_name(
    other: dict[str, list[Any]], keys: list[str], message: str
) -> None:
    with pytest.raises(HandoffError) as refused:
        joined(other, *keys)
    assert message in str(refused.value)
