"""Every change of a contract is judged by its direction, and by whom that breaks."""

from typing import Annotated, Any

import pandas as pd
import polars as pl
import pytest
from pandera import pandas, polars

from baton_handoff.contracts import canonical_form
from baton_handoff.contracts.changes import ContractComparison
from baton_handoff.contracts.compatibility import compare
from baton_handoff.contracts.sentences import change_text
from contract_changes import CHANGES, HARMLESS, STRICT, State, body, contract

ENGINE_KNOWS_NO = {"polars": {"a default", "invalid rows dropped"}}


def judged(pa: Any, before: State, after: State, position: str = "input") -> ContractComparison:
    states = (canonical_form(contract(pa, state, position)) for state in (before, after))
    return compare(*states)


@pytest.mark.parametrize("position", ["input", "output"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_has_the_right_direction(pa: Any, name: str, position: str) -> None:
    before, after, direction = CHANGES[name]
    comparison = judged(pa, before, after, position)
    if direction is HARMLESS:
        assert (comparison.changes, comparison.bump, comparison.consent) == ((), "none", ())
        return
    (change,) = comparison.changes
    assert change.direction is direction, change_text(change)
    assert change.breaks == direction.breaks
    assert comparison.bump == "major"
    assert comparison.required_version == "2.0.0"
    assert comparison.consent == tuple(f"the {role}" for role in direction.breaks)


PANDAS_TIME = pd.DatetimeTZDtype
EXACT_TYPES = {
    "pandas, another unit": (
        pandas,
        Annotated[PANDAS_TIME, "us", "UTC"],
        Annotated[PANDAS_TIME, "ns", "UTC"],
    ),
    "pandas, another zone": (
        pandas,
        Annotated[PANDAS_TIME, "us", "UTC"],
        Annotated[PANDAS_TIME, "us", "Europe/Berlin"],
    ),
    "pandas, another category": (
        pandas,
        Annotated[pd.CategoricalDtype, ["a", "b"], False],
        Annotated[pd.CategoricalDtype, ["a", "c"], False],
    ),
    "pandas, ordered categories": (
        pandas,
        Annotated[pd.CategoricalDtype, ["a", "b"], False],
        Annotated[pd.CategoricalDtype, ["a", "b"], True],
    ),
    "pandas, another width": (pandas, pd.Int64Dtype, pd.Int32Dtype),
    "polars, another unit": (
        polars,
        Annotated[pl.Datetime, "us", "UTC"],
        Annotated[pl.Datetime, "ns", "UTC"],
    ),
    "polars, another width": (polars, pl.Int64, pl.Int32),
}


@pytest.mark.parametrize("name", EXACT_TYPES)
def test_another_exact_type_breaks_both_sides(name: str) -> None:
    """A table that one state accepts is refused by the other, though both read the same values."""
    backend, before, after = EXACT_TYPES[name]
    comparison = judged(backend, body(kind=before), body(kind=after))
    (change,) = comparison.changes
    assert (change.column, comparison.required_version) == ("amount", "2.0.0")
    assert judged(backend, body(kind=before), body(kind=before)).changes == ()


def test_moving_rules_into_a_base_class_changes_nothing(pa: Any) -> None:
    base = type("Base", (pa.DataFrameModel,), {**body({"ge": 0})(pa), "Config": type("C", (), {})})
    own = contract(pa, body({"ge": 0}), "input")

    class Table(base):  # type: ignore[misc, valid-type]
        class Config:
            metadata = canonical_form(own)["metadata"]

    assert compare(canonical_form(own), canonical_form(Table)).changes == ()


def test_a_new_internal_feature_needs_no_consent(pa: Any) -> None:
    wider = body(config=STRICT, more=(int, {"ge": 0}))
    comparison = judged(pa, body(config=STRICT), wider, "internal")
    assert (comparison.breaks, comparison.consent) == ((), ())
    assert (comparison.bump, comparison.required_version) == ("minor", "1.1.0")


@pytest.mark.parametrize(
    ("version", "needed"), [("1.0.0", "2.0.0"), ("1.9.0", "2.0.0"), ("2.0.0", None), ("3", "2.0.0")]
)
def test_a_version_that_was_raised_enough_is_enough(
    pa: Any, version: str, needed: str | None
) -> None:
    before = canonical_form(contract(pa, body(), "input"))
    after = canonical_form(contract(pa, body({"ge": 0}), "input", version))
    assert compare(before, after).required_version == needed


def test_a_new_contract_is_compatible_and_a_removed_one_breaks_both_roles(pa: Any) -> None:
    form = canonical_form(contract(pa, body(), "input"))
    assert compare(None, form).breaks == ()
    assert compare(form, None).breaks == ("producer", "consumer")


@pytest.mark.parametrize("position", ["input", "internal", "output", "source"])
def test_a_placeholder_is_no_base_for_a_version(pa: Any, position: str) -> None:
    def placeholder(_: Any) -> dict[str, Any]:
        return {"Config": STRICT}

    comparison = judged(pa, placeholder, body(config=STRICT), position)
    assert [change_text(change) for change in comparison.changes] == ["Table: new contract"]
    assert comparison.required_version is None
    emptied = judged(pa, body(config=STRICT), placeholder, position)
    assert emptied.required_version == "2.0.0"


def test_an_open_contract_without_columns_is_a_base(pa: Any) -> None:
    """It accepts every table, so a column tightens it."""
    comparison = judged(pa, lambda _: {"Config": {}}, body(), "input")
    assert comparison.required_version == "2.0.0"


def test_who_has_to_agree_is_read_from_the_state_before(pa: Any) -> None:
    before = canonical_form(contract(pa, body(), "input"))
    after = {**before, "metadata": {**before["metadata"], "producer": "somebody else"}}
    comparison = compare(before, after)
    assert [change_text(change) for change in comparison.changes] == [
        "Table: producer the producer → somebody else"
    ]
    assert comparison.consent == ("the producer", "the consumer")
