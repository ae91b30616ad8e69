"""A service of trips, asked in the process of the test."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pandas as pd
import pandera.pandas as pa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from baton_handoff.contracts import Contract
from baton_handoff.contracts.row_models import api_source
from baton_handoff.registry.loaded import Loaded
from baton_handoff.serving import create_app
from trips import ROWS, PandasTrip

ROW = json.loads(json.dumps(ROWS[0], default=lambda moment: moment.isoformat()))


class Price(pa.DataFrameModel):
    """What a trip costs."""

    euros: float = pa.Field(ge=0)

    class Config:
        strict = True
        metadata = {"version": "2.1.0", "position": "output"}


def fixed(euros: float) -> Callable[[Any], Any]:
    """A model that has one answer to everything."""
    return lambda table: pd.DataFrame({"euros": [euros] * len(table)})


def api_of(output_schema: Contract) -> ModuleType:
    """The generated models of a service that answers with a contract."""
    module = ModuleType("api")
    exec(compile(api_source(PandasTrip, output_schema), "api.py", "exec"), module.__dict__)
    return module


def app_of(api: ModuleType, output_schema: Contract, predict: Callable[[Any], Any]) -> FastAPI:
    """The application that answers with version 3 of a model."""
    loaded = Loaded("trips", 3, predict, commit="c" * 40, code="d" * 64)
    return create_app(
        loaded, PandasTrip, output_schema, api.PredictionRequest, api.PredictionResponse
    )


def serving(client: TestClient) -> Any:
    return client.app.state.serving  # type: ignore[attr-defined]


def ask(client: TestClient, **headers: str) -> Any:
    return client.post("/predict", json={"rows": [ROW]}, headers=headers)


def figure(client: TestClient, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return float(next(line.split()[-1] for line in lines if line.startswith(name)))
