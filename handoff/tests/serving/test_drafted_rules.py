"""The service answers rows outside a drafted rule; it logs and counts them."""

import logging
from types import ModuleType

import pandera.pandas as pa
import pytest
from fastapi.testclient import TestClient

from baton_handoff.contracts.row_models import api_source
from baton_handoff.registry.loaded import Loaded
from baton_handoff.registry.wrapper import ContractedModel
from baton_handoff.serving import create_app
from trip_service import Price, figure, fixed


class Guest(pa.DataFrameModel):
    """A drafted range, a drafted list and a rule that holds."""

    age: int = pa.Field(ge=0, le=60, raise_warning=True)
    town: str = pa.Field(isin=["Bonn"], raise_warning=True)
    nights: int = pa.Field(ge=1)

    class Config:
        strict = True
        metadata = {"version": "1.0.0", "position": "input"}


class Fixed:
    """A model with one answer."""

    predict = staticmethod(fixed(5.0))


@pytest.fixture
def client() -> TestClient:
    api = ModuleType("api")
    exec(api_source(Guest, Price), api.__dict__)
    model = ContractedModel(Fixed(), Guest, Price)
    app = create_app(
        Loaded("guests", 1, model.predict),
        *(Guest, Price),
        *(api.PredictionRequest, api.PredictionResponse),
    )
    return TestClient(app)


@pytest.mark.parametrize(
    ("change", "outside"),
    [({"age": 61}, "age"), ({"town": "Köln"}, "town"), ({}, "")],
    ids=["a bound", "a category", "neither"],
)
def test_a_row_outside_a_draft_is_answered_logged_and_counted(
    client: TestClient, caplog: pytest.LogCaptureFixture, change: dict[str, object], outside: str
) -> None:
    row = {"age": 60, "town": "Bonn", "nights": 1} | change
    with caplog.at_level(logging.WARNING, "baton_handoff.contracts"):
        assert client.post("/predict", json={"rows": [row]}).status_code == 200
    counted = {
        name for name in row if figure(client, f'handoff_outside_drafts_total{{column="{name}"}}')
    }
    assert counted == ({outside} - {""})
    assert [outside in message for message in caplog.messages] == [True] * bool(outside)


def test_a_rule_that_is_no_draft_refuses(client: TestClient) -> None:
    row = {"age": 60, "town": "Bonn", "nights": 0}
    assert client.post("/predict", json={"rows": [row]}).status_code == 422
