"""A pattern matches whole values: `$` is the end of the text, wherever a contract is enforced."""

import re
from types import ModuleType
from typing import Any

import pandas as pd
import polars as pl
import pytest
from fastapi.testclient import TestClient

from baton_handoff.contracts import Contract, ContractViolation, check
from baton_handoff.contracts.fast_validation import FastValidation
from baton_handoff.contracts.text_patterns import end_marked
from baton_handoff.registry.loaded import Loaded
from trip_service import ROW, serving
from trips import PandasTrip


def airport(pa: ModuleType, pattern: Any) -> Contract:
    class Airport(pa.DataFrameModel):  # type: ignore[name-defined]
        code: str = pa.Field(str_matches=pattern)

    return Airport


@pytest.mark.parametrize(
    ("pattern", "text", "accepted"),
    [
        ("^[A-Z0-9]{3}$", "IAH", True),
        ("^[A-Z0-9]{3}$", "IAH\n", False),
        ("[A-Z]+$", "IAH\n", False),
        ("^(IAH|EWR$)$", "EWR\n", False),
        ("^IAH$|^EWR$", "IAH\n", False),
        (r"^\$[$]$", "$$", True),
        (r"^\$[$]$", "$$\n", False),
        ("^IAH", "IAH\n", True),
        ("^IAH\n$", "IAH\n", True),
        ("(?s)^IAH.$", "IAH\n", True),
    ],
)
def test_the_end_is_the_end(
    engine: str, pa: ModuleType, pattern: str, text: str, accepted: bool
) -> None:
    tables: list[Any] = [pl.DataFrame({"code": [text]})]
    if engine == "pandas":
        tables = [pd.DataFrame({"code": pd.Series([text], dtype=kind)}) for kind in ("str", object)]
    for table in tables:
        try:
            check(airport(pa, pattern), table)
        except ContractViolation:
            assert not accepted
        else:
            assert accepted
        assert not FastValidation(airport(pa, pattern)).accepts(table) or accepted


@pytest.mark.parametrize(
    ("pattern", "changed"),
    [
        ("^a$", r"^a\Z"),
        (r"\$$", r"\$\Z"),
        (r"\\$", r"\\\Z"),
        ("[$]$", r"[$]\Z"),
        ("[]$]$", r"[]$]\Z"),
        ("[^]$]$", r"[^]$]\Z"),
        (r"[\]$]$", r"[\]$]\Z"),
        ("(?m)^a$", "(?m)^a$"),
        ("(?im)a$", "(?im)a$"),
    ],
)
def test_only_the_sign_for_the_end_is_changed(pattern: str, changed: str) -> None:
    assert end_marked(pattern) == changed
    re.compile(changed)


def test_the_service_refuses_a_text_with_a_newline_at_its_end(client: TestClient) -> None:
    serving(client).swap(Loaded("trips", 4, lambda table: check(PandasTrip, table)))
    answer = client.post("/predict", json={"rows": [ROW | {"code": "A\n"}]})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "rows[0].code", "rule": "String should match pattern '^[A-Z]+$'"}
    ]
