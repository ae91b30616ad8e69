"""Rows and tables are judged alike; where the rows' model says something else, that is found."""

from types import ModuleType

import pytest
from hypothesis import given, settings

from baton_handoff.contracts import Contract
from baton_handoff.contracts.agreement import disagreements, rows_around, rows_near
from baton_handoff.contracts.row_models import api_source
from generated_code import imported
from trips import ROWS, Row


def tried(contract: Contract, api: ModuleType) -> None:
    """What a project's tests try."""
    for rows in rows_around(contract, ROWS):
        assert disagreements(contract, api.PredictionRequest, rows) == []


def test_row_models_and_contracts_agree_around_every_rule(trip: Contract) -> None:
    tried(trip, imported(api_source(trip, trip)))


def test_row_models_and_contracts_agree_on_any_values(trip: Contract) -> None:
    api = imported(api_source(trip, trip))

    @settings(max_examples=50, derandomize=True, database=None, deadline=None)
    @given(rows_near(trip, ROWS))
    def alike(rows: list[Row]) -> None:
        assert disagreements(trip, api.PredictionRequest, rows) == []

    alike()


@pytest.mark.parametrize(
    ("said", "broken", "column"),
    [
        ("ge=1, le=9", "le=9", "seats"),
        ("ge=1, le=9", "ge=1, le=10", "seats"),
        ("ge=1, le=9", "ge=1, lt=9", "seats"),
        ("gt=0", "ge=0", "price"),
        ('pattern="^[A-Z]+', 'pattern="^[A-Za-z]+', "code"),
        ('Literal["Bonn", "Ulm"]', 'Literal["Bonn"]', "town"),
        ('Literal["Bonn", "Ulm"]', "str", "town"),
        ("direct: Annotated[bool, Strict()]", "direct: bool", "direct"),
        (
            "int, Field(ge=1, le=9), BeforeValidator(_whole)",
            "int, Strict(), Field(ge=1, le=9)",
            "seats",
        ),
        ("at: Timestamp | None", "at: Timestamp", "at"),
        ("at: Timestamp | None", "at: AwareDatetime | None", "at"),
    ],
    ids=str,
)
def test_a_row_model_with_another_rule_is_found(
    trip: Contract, said: str, broken: str, column: str
) -> None:
    source = api_source(trip, trip)
    assert said in source
    with pytest.raises(AssertionError, match=f"rows.*{column}"):
        tried(trip, imported(source.replace(said, broken)))


def test_rules_of_the_whole_table_count_too(trip: Contract) -> None:
    api = imported(api_source(trip, trip))
    twice = [{**ROWS[0], "at": None, "seats": seats} for seats in (1, 1)]
    assert disagreements(trip, api.PredictionRequest, twice) == []
