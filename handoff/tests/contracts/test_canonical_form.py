"""Two contracts have the same canonical form exactly if they enforce the same."""

import json
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Annotated, Any

import pandas as pd
import pandera.pandas
import pandera.polars
import polars as pl
import pytest

from baton_handoff.contracts import Contract, canonical_form, model_interface
from baton_handoff.errors import HandoffError

Rule = Callable[[Any, Any], Any]
WithRule = Callable[[Any, Rule], Contract]

DEEP = 1
"""A limit that a rule below knows of, but only in a function of its own."""


def stated(pa: Any, settings: dict[str, Any] | None = None, **rules: Any) -> Contract:
    """A contract with one column whose rules vary, and varying settings."""

    class Table(pa.DataFrameModel):
        amount: int = pa.Field(**{"ge": 0, **rules})

        Config = type("Config", (), {"metadata": {"version": "1.0.0"}, **(settings or {})})

    return Table


def positive() -> Rule:
    def rule(cls: Any, data: Any) -> Any:
        """Say it."""
        return data > 0  # a comment

    return rule


def positive_in_other_words() -> Rule:
    def rule(cls: Any, data: Any) -> Any:
        """Say it in other words."""
        return data > (0)

    return rule


def more_than_one() -> Rule:
    def rule(cls: Any, data: Any) -> Any:
        return data > 1

    return rule


def less_than(limit: timedelta) -> Rule:
    def rule(cls: Any, data: Any) -> Any:
        return data < limit

    return rule


def table_rule(pa: Any, function: Rule) -> Contract:
    class Table(pa.DataFrameModel):
        a: int
        rule = pa.dataframe_check(function)

    return Table


def column_rule(pa: Any, function: Rule) -> Contract:
    class Table(pa.DataFrameModel):
        a: int
        rule = pa.check("a")(function)

    return Table


def inherited_rule(pa: Any, function: Rule) -> Contract:
    class Table(table_rule(pa, function)):  # type: ignore[misc]
        pass

    return Table


RULES = pytest.mark.parametrize("contract", [table_rule, column_rule, inherited_rule])


def test_a_form_is_plain_data(trip: Contract) -> None:
    form = canonical_form(trip)
    assert json.loads(json.dumps(form)) == form


def test_order_and_docstrings_do_not_count(pa: Any) -> None:
    def one() -> Contract:
        class Table(pa.DataFrameModel):
            """One way to say it."""

            a: int = pa.Field(isin=[1, 2], ge=0)
            b: str

        return Table

    def other() -> Contract:
        class Table(pa.DataFrameModel):
            """Another."""

            b: str
            a: int = pa.Field(ge=0, isin=[2, 1], description="a number")

        return Table

    assert canonical_form(one()) == canonical_form(other())


@pytest.mark.parametrize(
    "rules",
    [
        {"ge": 1},
        {"ge": None, "gt": 0},
        {"le": 9},
        {"isin": [1, 2]},
        {"nullable": True},
        {"unique": True},
        {"coerce": True},
        {"alias": "total"},
        {"alias": "^a", "regex": True},
        {"raise_warning": True},
        {"ignore_na": False},
        {"default": 5},
    ],
    ids=str,
)
def test_every_rule_of_a_column_counts(pa: Any, rules: dict[str, Any]) -> None:
    assert canonical_form(stated(pa, **rules)) != canonical_form(stated(pa))


@pytest.mark.parametrize(
    "settings",
    [
        {"strict": True},
        {"strict": "filter"},
        {"unique": ["amount"]},
        {"ordered": True},
        {"coerce": True},
        {"add_missing_columns": True},
        {"drop_invalid_rows": True},
        {"metadata": {"version": "2.0.0"}},
    ],
    ids=str,
)
def test_every_setting_of_a_table_counts(pa: Any, settings: dict[str, Any]) -> None:
    assert canonical_form(stated(pa, settings)) != canonical_form(stated(pa))


def test_a_column_that_may_be_absent_is_another_column(pa: Any) -> None:
    class Table(pa.DataFrameModel):
        amount: int | None = pa.Field(ge=0)

        class Config:
            metadata = {"version": "1.0.0"}

    assert canonical_form(Table) != canonical_form(stated(pa))


def test_a_type_counts(pa: Any) -> None:
    class Table(pa.DataFrameModel):
        amount: float = pa.Field(ge=0)

        class Config:
            metadata = {"version": "1.0.0"}

    assert canonical_form(Table) != canonical_form(stated(pa))


@pytest.mark.parametrize("zone", [None, "America/New_York", "Europe/Berlin"])
def test_a_time_zone_counts(engine: str, zone: str | None) -> None:
    def moments(zone: str | None) -> Contract:
        if engine == "polars":

            class Polars(pandera.polars.DataFrameModel):
                at: Annotated[pl.Datetime, "us", zone]

            return Polars

        class Pandas(pandera.pandas.DataFrameModel):
            at: Annotated[pd.DatetimeTZDtype, "us", zone or "Asia/Tokyo"]

        return Pandas

    forms = [canonical_form(moments(z)) for z in ("UTC", "Etc/GMT-1", zone)]
    assert all(forms.count(form) == 1 for form in forms)


@RULES
def test_the_body_of_a_custom_rule_counts(pa: Any, contract: WithRule) -> None:
    one, other = (canonical_form(contract(pa, rule())) for rule in (positive, more_than_one))
    assert one != other


@RULES
def test_the_words_and_the_layout_of_a_custom_rule_do_not_count(
    pa: Any, contract: WithRule
) -> None:
    said = (positive, positive_in_other_words)
    one, other = (canonical_form(contract(pa, rule())) for rule in said)
    assert one == other


@RULES
def test_a_constant_that_a_custom_rule_uses_counts(pa: Any, contract: WithRule) -> None:
    limits = (timedelta(hours=6), timedelta(hours=12))
    one, other = (canonical_form(contract(pa, less_than(limit))) for limit in limits)
    assert one != other


def test_a_constant_counts_that_only_a_function_within_the_rule_uses(
    pa: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule(cls: Any, column: Any) -> Any:
        return column.map(lambda amount: amount > DEEP)

    before = canonical_form(column_rule(pa, rule))
    monkeypatch.setitem(globals(), "DEEP", 2)
    assert canonical_form(column_rule(pa, rule)) != before


def test_it_does_not_matter_whether_a_custom_rule_is_inherited(pa: Any) -> None:
    inherited, own = (contract(pa, positive()) for contract in (inherited_rule, table_rule))
    assert canonical_form(inherited) == canonical_form(own)


def test_a_custom_rule_with_the_name_of_a_built_in_one_differs_from_it(pa: Any) -> None:
    class Table(pa.DataFrameModel):
        amount: int

        @pa.check("amount")  # type: ignore[untyped-decorator]
        def greater_than(cls, column: Any) -> Any:
            return column > 5

    form = canonical_form(Table)["columns"]["amount"]["checks"]
    assert "column > 5" in str(form)


def test_a_step_that_changes_a_table_before_it_is_checked_counts() -> None:
    class Table(pandera.pandas.DataFrameModel):
        a: int

    plain = canonical_form(Table)

    class Table(pandera.pandas.DataFrameModel):  # type: ignore[no-redef]
        a: int

        @pandera.pandas.parser("a")
        def clip(cls, column: Any) -> Any:
            return column.clip(0)

    assert canonical_form(Table) != plain


def test_a_blank_project_of_the_last_release_still_finds_the_command_that_it_looks_for() -> None:
    class Given(pandera.pandas.DataFrameModel):
        class Config:
            metadata = {"position": "input"}

    class Said(pandera.pandas.DataFrameModel):
        class Config:
            metadata = {"position": "output"}

    room = ModuleType("contracts")
    vars(room).update(Given=Given, Said=Said, __all__=["Given", "Said"])
    with pytest.raises(HandoffError, match="new-contract"):
        model_interface(room)
