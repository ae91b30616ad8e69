"""The generated API models take exactly what a contract takes of one row."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pydantic
import pytest

from baton_handoff.contracts import Contract, ContractViolation, check, from_rows
from baton_handoff.contracts.api_forms import api_forms
from baton_handoff.contracts.row_models import api_source, is_current
from baton_handoff.core.errors import HandoffError
from generated_code import imported, row_model

ROW: dict[str, Any] = {
    "town": "Ulm",
    "code": None,
    "seats": 1,
    "price": 1.5,
    "direct": True,
    "at": "2013-01-01T12:30:00+01:00",
}


@pytest.fixture
def answer(pa: Any) -> Contract:
    class Answer(pa.DataFrameModel):
        chance: float = pa.Field(ge=0, le=1, description="that it works")

    return Answer


@pytest.fixture
def api(trip: Contract, answer: Contract) -> ModuleType:
    return imported(api_source(trip, answer))


def request(api: ModuleType, row: dict[str, Any]) -> Any:
    return api.PredictionRequest.model_validate({"rows": [row]})


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"town": "Bonn", "seats": 9},
        {"seats": 2.0},
        {"code": "ABC"},
        {"price": None},
        {"price": 2},
        {"direct": False},
        {"at": None},
        {"at": "2013-01-01T11:30:00Z"},
    ],
    ids=str,
)
def test_a_row_that_the_contract_accepts_is_accepted(api: ModuleType, row: dict[str, Any]) -> None:
    request(api, {**ROW, **row})


@pytest.mark.parametrize(
    "row",
    [
        {"town": "Rome"},
        {"town": None},
        {"town": 1},
        {"code": "abc"},
        {"code": 5},
        {"seats": 0},
        {"seats": 10},
        {"seats": True},
        {"seats": 1.5},
        {"seats": "1"},
        {"seats": None},
        {"seats": float("nan")},
        {"seats": float("inf")},
        {"price": 0},
        {"price": float("nan")},
        {"price": float("inf")},
        {"price": True},
        {"price": "1.5"},
        {"direct": 1},
        {"direct": "true"},
        {"at": 1357043400},
        {"at": 1357043400.5},
        {"at": "1357043400"},
        {"at": True},
        {"at": "2013-01-01T12:30:00"},
        {"at": "yesterday"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"more": 1},
    ],
    ids=str,
)
def test_a_row_that_the_contract_refuses_is_refused_by_field(
    api: ModuleType, row: dict[str, Any]
) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        request(api, {**ROW, **row})
    assert {error["loc"][:3] for error in caught.value.errors()} == {("rows", 0, *row)}


@pytest.mark.parametrize("key", ROW)
def test_a_missing_key_is_refused(api: ModuleType, key: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="Field required"):
        request(api, {name: value for name, value in ROW.items() if name != key})


def test_a_request_has_rows_and_nothing_else(api: ModuleType) -> None:
    bodies: list[Any] = [{}, {"rows": []}, {"rows": [ROW], "more": 1}, {"rows": ROW}, []]
    for body in bodies:
        with pytest.raises(pydantic.ValidationError):
            api.PredictionRequest.model_validate(body)


def test_an_answer_has_predictions_and_a_version(api: ModuleType) -> None:
    answer = api.PredictionResponse(predictions=[{"chance": 0.5}], version=3)
    assert answer.model_dump() == {"predictions": [{"chance": 0.5}], "version": 3}


def test_the_same_contracts_give_the_same_source(trip: Contract, answer: Contract) -> None:
    assert api_source(trip, answer) == api_source(trip, answer)


def test_a_changed_contract_gives_another_source(pa: Any, trip: Contract, answer: Contract) -> None:
    class Answer(pa.DataFrameModel):
        chance: float = pa.Field(ge=0, lt=1, description="that it works")

    assert api_source(trip, Answer) != api_source(trip, answer)


def test_a_description_reaches_the_reader_of_the_api(api: ModuleType) -> None:
    assert api.AnswerRow.model_json_schema()["properties"]["chance"]["description"]


@pytest.mark.parametrize("words", ['with "quotes" and \\', "Grüße 🦊", "line\nbreak", "{braces}"])
def test_any_description_makes_valid_source(pa: Any, trip: Contract, words: str) -> None:
    class Answer(pa.DataFrameModel):
        chance: float = pa.Field(description=words)

    fields = imported(api_source(trip, Answer)).AnswerRow.model_json_schema()["properties"]
    assert fields["chance"]["description"] == words


@pytest.mark.parametrize("name", ["class", "a b", "1st", "_hidden", "model_config", "model_dump"])
def test_a_column_that_can_be_no_field_is_refused_in_a_sentence(
    pa: Any, trip: Contract, name: str
) -> None:
    class Answer(pa.DataFrameModel):
        chance: float = pa.Field(alias=name)

    with pytest.raises(HandoffError, match=f"Answer has a column '{name}', which can't be a field"):
        api_source(trip, Answer)


@pytest.mark.parametrize("name", ["größe", "model_year", "A1"])
def test_a_column_with_an_unusual_name_is_carried(pa: Any, trip: Contract, name: str) -> None:
    class Answer(pa.DataFrameModel):
        chance: float = pa.Field(alias=name)

    row = imported(api_source(trip, Answer)).AnswerRow
    assert row.model_validate({name: 0.5}).model_dump() == {name: 0.5}


def test_a_type_that_json_cannot_carry_is_refused_in_a_sentence(pa: Any, trip: Contract) -> None:
    class Answer(pa.DataFrameModel):
        data: bytes = pa.Field()

    with pytest.raises(HandoffError, match=r"Answer\.data has the type .*, which the API can't"):
        api_source(trip, Answer)


def test_categories_are_of_the_type_of_their_column(pa: Any, trip: Contract) -> None:
    class Answer(pa.DataFrameModel):
        whole: int = pa.Field(isin=[0, 1])
        half: float = pa.Field(isin=[0.5, 1.0])
        sure: bool = pa.Field(isin=[True])

    row = imported(api_source(trip, Answer)).AnswerRow
    fit = {"whole": 1, "half": 0.5, "sure": True}
    for accepted in ({}, {"whole": 1.0}):
        row.model_validate({**fit, **accepted})
    for refused in ({"whole": 2}, {"whole": True}, {"half": "0.5"}, {"sure": 1}):
        with pytest.raises(pydantic.ValidationError):
            row.model_validate({**fit, **refused})


def test_an_integer_fits_into_a_table(pa: Any, trip: Contract) -> None:
    class Answer(pa.DataFrameModel):
        number: int

    row = imported(api_source(trip, Answer)).AnswerRow
    for most in (2**63 - 1, -(2**63)):
        assert row.model_validate({"number": most}).number == most
    for more in (2**63, -(2**63) - 1, 1e300):
        with pytest.raises(pydantic.ValidationError):
            row.model_validate({"number": more})


def test_a_gap_is_accepted_where_a_table_can_hold_one(pa: Any, engine: str, trip: Contract) -> None:
    """Integers of numpy know no gap, whatever the contract says."""

    class Answer(pa.DataFrameModel):
        number: int = pa.Field(nullable=True)

    row = imported(api_source(trip, Answer)).AnswerRow
    if engine == "polars":
        row.model_validate({"number": None})
    else:
        with pytest.raises(pydantic.ValidationError):
            row.model_validate({"number": None})


def test_an_extra_column_is_refused_only_if_the_contract_is_strict(pa: Any, trip: Contract) -> None:
    class Answer(pa.DataFrameModel):
        chance: float

    row = imported(api_source(trip, Answer)).AnswerRow
    assert row.model_validate({"chance": 0.5, "more": 1}).model_dump() == {"chance": 0.5}


@pytest.mark.parametrize("text", ["ab", "ab\n", "xab", "AB", "b", "xb", "\u0664", ""])
@pytest.mark.parametrize("pattern", ["ab", "^ab$", "^a|b$", "a|b", "(a|b)+$", r"\d", "(?i)ab"])
def test_a_pattern_is_applied_as_to_a_table(
    pa: Any, trip: Contract, pattern: str, text: str
) -> None:
    class Answer(pa.DataFrameModel):
        word: str = pa.Field(str_matches=pattern)

    row = imported(api_source(trip, Answer)).AnswerRow
    try:
        check(Answer, from_rows(Answer, [{"word": text}]))
    except ContractViolation:
        with pytest.raises(pydantic.ValidationError):
            row.model_validate({"word": text})
    else:
        row.model_validate({"word": text})


def test_an_api_of_an_earlier_release_is_current_and_unchanged(
    tmp_path: Path, trip: Contract
) -> None:
    """There, patterns end with `$` alone: the registered model validates the end of a text."""
    source = api_source(trip, trip)
    earlier = source.replace(r"(?!\\n)", "")
    assert earlier != source
    (tmp_path / "api.py").write_text(earlier)
    assert is_current(tmp_path / "api.py", source)
    (tmp_path / "api.py").write_text(earlier.replace("+$", "*$"))
    assert not is_current(tmp_path / "api.py", source)
    assert api_forms(imported(earlier)) == api_forms(imported(source))


def test_the_schema_of_an_integer_without_bounds_allows_what_the_model_accepts(pa: Any) -> None:
    class Count(pa.DataFrameModel):
        number: int

    model = row_model(Count)
    rule = model.model_json_schema()["properties"]["number"]
    # OpenAPI has floats: the end of the range must be one.
    assert rule["exclusiveMaximum"] == float(rule["exclusiveMaximum"]) == 2**63
    model.model_validate({"number": 2**63 - 1})
    with pytest.raises(pydantic.ValidationError):
        model.model_validate({"number": 2**63})
