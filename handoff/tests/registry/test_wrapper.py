"""The registered model validates its input and its output, in both engines."""

from typing import Any, get_args

import pytest

from baton_handoff.contracts import Contract, ContractViolation, Engine, from_rows, to_engine
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.wrapper import ContractedModel
from trips import Row


class FixedModel:
    """A model that predicting what it is told to, and remembers what it was tables."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.tables: list[Any] = []

    def predict(self, table: Any, /) -> Any:
        self.tables.append(table)
        return self.answer


@pytest.fixture
def output_schema(pa: Any) -> Contract:
    class Answer(pa.DataFrameModel):
        chance: float = pa.Field(ge=0, le=1)

        class Config:
            strict = True

    return Answer


def predicting(output_schema: Contract, *chances: float) -> FixedModel:
    return FixedModel(from_rows(output_schema, [{"chance": chance} for chance in chances]))


@pytest.mark.parametrize("engine_of_table", get_args(Engine))
def test_predictions_have_the_engine_of_the_input(
    engine: str, trip: Contract, output_schema: Contract, rows: list[Row], engine_of_table: Engine
) -> None:
    model = predicting(output_schema, 0.0, 0.5, 1.0)
    table = to_engine(from_rows(trip, rows), engine_of_table)
    answer = ContractedModel(model, trip, output_schema).predict(table)
    assert list(answer["chance"]) == [0.0, 0.5, 1.0]
    assert type(answer) is type(table)
    assert type(model.tables[0]).__module__.startswith(engine)


def test_invalid_input_does_not_reach_the_model(
    trip: Contract, output_schema: Contract, rows: list[Row]
) -> None:
    model = predicting(output_schema, 0.5)
    rows[0]["seats"] = 100
    with pytest.raises(ContractViolation, match="seats"):
        ContractedModel(model, trip, output_schema).predict(from_rows(trip, rows))
    assert model.tables == []


def test_invalid_predictions_are_refused(
    trip: Contract, output_schema: Contract, rows: list[Row]
) -> None:
    model = predicting(output_schema, 0.5, 0.5, 1.5)
    with pytest.raises(ContractViolation, match="Answer is violated: column 'chance'"):
        ContractedModel(model, trip, output_schema).predict(from_rows(trip, rows))


def test_the_model_must_predict_one_row_for_each(
    trip: Contract, output_schema: Contract, rows: list[Row]
) -> None:
    model = ContractedModel(predicting(output_schema, 0.5, 0.5), trip, output_schema)
    with pytest.raises(HandoffError, match="2 rows for 3"):
        model.predict(from_rows(trip, rows))


@pytest.mark.parametrize("table", [None, [1, 2], {"seats": [1]}, "rows"], ids=repr)
def test_input_that_is_no_table_is_refused(
    trip: Contract, output_schema: Contract, table: Any
) -> None:
    with pytest.raises(HandoffError, match="DataFrame or a list of rows, not "):
        ContractedModel(predicting(output_schema), trip, output_schema).predict(table)


def test_a_list_of_rows_is_validated_like_a_table(
    trip: Contract, output_schema: Contract, rows: list[Row]
) -> None:
    plain = [
        row | {"at": row["at"] and row["at"].isoformat(), "seats": 1.0 * row["seats"]}
        for row in rows
    ]
    model = ContractedModel(predicting(output_schema, 0.5, 0.5, 0.5), trip, output_schema)
    assert model.predict(plain)["chance"].tolist() == [0.5, 0.5, 0.5]
    for spoilt, said in (
        ({"seats": "1"}, "column 'seats' must be of type integer"),
        ({"mood": 1}, "column 'mood' is missing"),
        ({"town": "Rome"}, "column 'town'"),
    ):
        with pytest.raises(ContractViolation, match=said):
            model.predict([plain[0] | spoilt, *plain[1:]])
    with pytest.raises(ContractViolation, match="column 'mood' is not in the contract"):
        model.predict([row | {"mood": 1} for row in plain])


def test_a_model_stored_by_an_earlier_release_is_loaded(
    trip: Contract, output_schema: Contract, rows: list[Row]
) -> None:
    model = ContractedModel.__new__(ContractedModel)
    model.__setstate__(
        {"model": predicting(output_schema, 0.5), "takes": trip, "gives": output_schema}
    )
    assert model.predict(from_rows(trip, rows[:1]))["chance"].to_list() == [0.5]
