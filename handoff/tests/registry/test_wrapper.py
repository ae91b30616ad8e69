"""The registered model checks both of its borders and speaks both engines."""

from typing import Any, get_args

import pytest

from baton_handoff.contracts import Contract, ContractViolation, Engine, from_rows, to_engine
from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.wrapper import ContractedModel
from trips import Row


class Returns:
    """A model that answers what it is told to, and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def predict(self, table: Any, /) -> Any:
        self.asked.append(table)
        return self.answer


@pytest.fixture
def output_schema(pa: Any) -> Contract:
    class Answer(pa.DataFrameModel):
        chance: float = pa.Field(ge=0, le=1)

        class Config:
            strict = True

    return Answer


def answers(output_schema: Contract, *chances: float) -> Returns:
    return Returns(from_rows(output_schema, [{"chance": chance} for chance in chances]))


@pytest.mark.parametrize("asked_in", get_args(Engine))
def test_a_question_in_either_engine_is_answered_in_it(
    engine: str, trip: Contract, output_schema: Contract, rows: list[Row], asked_in: Engine
) -> None:
    model = answers(output_schema, 0.0, 0.5, 1.0)
    question = to_engine(from_rows(trip, rows), asked_in)
    answer = ContractedModel(model, trip, output_schema).predict(question)
    assert list(answer["chance"]) == [0.0, 0.5, 1.0]
    assert type(answer) is type(question)
    assert type(model.asked[0]).__module__.startswith(engine)


def test_a_bad_question_never_reaches_the_model(
    trip: Contract, output_schema: Contract, rows: list[Row]
) -> None:
    model = answers(output_schema, 0.5)
    rows[0]["seats"] = 100
    with pytest.raises(ContractViolation, match="seats"):
        ContractedModel(model, trip, output_schema).predict(from_rows(trip, rows))
    assert model.asked == []


def test_a_bad_answer_never_leaves_the_model(
    trip: Contract, output_schema: Contract, rows: list[Row]
) -> None:
    model = answers(output_schema, 0.5, 0.5, 1.5)
    with pytest.raises(ContractViolation, match="Answer is violated: column 'chance'"):
        ContractedModel(model, trip, output_schema).predict(from_rows(trip, rows))


def test_an_answer_has_a_row_for_each_row_of_the_question(
    trip: Contract, output_schema: Contract, rows: list[Row]
) -> None:
    model = ContractedModel(answers(output_schema, 0.5, 0.5), trip, output_schema)
    with pytest.raises(HandoffError, match="2 rows for 3"):
        model.predict(from_rows(trip, rows))


@pytest.mark.parametrize("question", [None, [1, 2], {"seats": [1]}, "rows"], ids=repr)
def test_what_is_no_table_is_refused_in_a_sentence(
    trip: Contract, output_schema: Contract, question: Any
) -> None:
    with pytest.raises(HandoffError, match="DataFrame or a list of rows, not "):
        ContractedModel(answers(output_schema), trip, output_schema).predict(question)


def test_rows_as_json_has_them_are_taken_and_judged_alike(
    trip: Contract, output_schema: Contract, rows: list[Row]
) -> None:
    plain = [
        row | {"at": row["at"] and row["at"].isoformat(), "seats": 1.0 * row["seats"]}
        for row in rows
    ]
    model = ContractedModel(answers(output_schema, 0.5, 0.5, 0.5), trip, output_schema)
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
        {"model": answers(output_schema, 0.5), "takes": trip, "gives": output_schema}
    )
    assert model.predict(from_rows(trip, rows[:1]))["chance"].to_list() == [0.5]
