"""A model predicts from rows without a table, if that is the same."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from baton_handoff.contracts.columns import rows_of_columns
from baton_handoff.contracts.examples import probes
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.wrapper import ContractedModel
from baton_handoff.serving import row_path
from trip_service import ROW, Price, ask, serving
from trips import ROWS, PandasTrip

EXAMPLES = [ROW | {"town": "Bonn", "direct": False}, ROW]


class ByTable:
    """Predicts twice the number of seats."""

    def predict(self, table: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"euros": 2.0 * table["seats"]})


class ByColumns(ByTable):
    def __init__(self, predict: Callable[[Any, Any], Any]) -> None:
        self.predict_columns = predict


def same(trips: Any, checked: Any) -> Any:
    return checked(Price, {"euros": 2.0 * trips["seats"]})


def version(model: ByTable) -> Loaded:
    contracted = ContractedModel(model, PandasTrip, Price)
    return Loaded("trips", 4, contracted.predict, "", "", EXAMPLES, contracted.predict_rows)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of each table that the model gets."""
    given: list[int] = []
    predict = ByTable.predict

    def noted(self: ByTable, table: pd.DataFrame) -> pd.DataFrame:
        given.append(len(table))
        return predict(self, table)

    monkeypatch.setattr(ByTable, "predict", noted)
    return given


def test_the_service_answers_without_a_table(client: TestClient, tables: list[int]) -> None:
    service = serving(client)
    service.loaded = service.prove(version(ByColumns(same)))
    tables.clear()
    assert ask(client).json() == {"predictions": [{"euros": 2.0}], "version": 4}
    rows = [ROW, ROW | {"town": "Bonn", "code": None, "price": None, "at": None}]
    answer = client.post("/predict", json={"rows": rows})
    assert answer.json()["predictions"] == [{"euros": 2.0}] * 2
    assert not tables


def test_rows_that_may_break_a_contract_and_errors_are_left_to_the_table(
    client: TestClient, tables: list[int]
) -> None:
    service = serving(client)
    service.loaded = service.prove(version(ByColumns(same)))
    tables.clear()
    answer = client.post("/predict", json={"rows": [ROW, ROW]})
    assert answer.status_code == 422
    fails = version(ByColumns(lambda *_: 1 / 0))
    service.loaded = replace(service.loaded, predict_rows=fails.predict_rows)
    assert ask(client).json()["predictions"] == [{"euros": 2.0}]
    assert tables == [1]


@pytest.mark.parametrize(
    ("predict", "reason"),
    [
        (lambda trips, _: {"euros": 2.0 * trips["seats"] + 1e-6}, "are not the same"),
        (lambda trips, _: {"euros": 2.0 * np.minimum(trips["seats"], 5)}, "are not the same"),
        (lambda *_: 1 / 0, "fail (ZeroDivisionError)"),
        (lambda *_: {}, "answer none of its rows"),
    ],
    ids=["all", "generated-rows", "error", "no-column"],
)
def test_a_version_that_predicts_something_else_from_rows_uses_tables(
    client: TestClient,
    caplog: pytest.LogCaptureFixture,
    predict: Callable[[Any, Any], Any],
    reason: str,
) -> None:
    """The second is equal for the example, and not for generated rows with more seats."""
    proved = serving(client).prove(version(ByColumns(predict)))
    assert proved.predict_rows is None
    assert reason in caplog.text


def test_one_value_for_which_it_predicts_something_else_is_enough(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However rare: every value around a rule is compared, most of them in tables with others."""
    monkeypatch.setattr(row_path, "_ALONE", 1)
    service = serving(client)
    predict = version(ByColumns(same)).predict_rows
    assert predict
    values = {
        (name, row[name])
        for table in row_path._tables(predict, EXAMPLES, PandasTrip, service._reader)
        for row in table
        for name in row.keys() - {"at"}
    }
    assert {("price", None), ("code", None), ("town", "Ulm"), ("seats", 9)} <= values
    values -= {(name, row[name]) for row in EXAMPLES for name in row}
    for rare in sorted(values, key=repr)[::4]:

        def different(trips: Any, checked: Any, rare: Any = rare) -> Any:
            more = [float(rare in row.items()) for row in rows_of_columns(trips)]
            return checked(Price, {"euros": 2.0 * trips["seats"] + more})

        assert service.prove(version(ByColumns(different))).predict_rows is None, rare


def test_what_may_break_a_contract_inside_the_model_is_not_certain() -> None:
    negative = ByColumns(lambda trips, checked: checked(Price, {"euros": trips["seats"] * -1.0}))
    assert ContractedModel(negative, PandasTrip, Price).predict_rows(ROWS) is None
    assert ContractedModel(ByTable(), PandasTrip, Price).predict_rows(ROWS) is None


def test_a_machine_without_the_tools_has_values_around_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A service in production has no hypothesis, which makes texts for patterns."""
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    pattern = {"name": "str_matches", "pattern": "^only-here-[0-9]$"}
    assert probes([{"type": "string", "checks": [pattern]}])[-1] is None
