"""What the tests of the handoff package share: both engines, and a small contract for each."""

from types import ModuleType

import pandera.pandas
import pandera.polars
import pytest

from baton_handoff.contracts import Contract
from trips import ROWS, PandasTrip, PolarsTrip, Row


@pytest.fixture(params=["pandas", "polars"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def pa(engine: str) -> ModuleType:
    """Pandera for the engine."""
    return pandera.pandas if engine == "pandas" else pandera.polars


@pytest.fixture
def trip(engine: str) -> Contract:
    return PandasTrip if engine == "pandas" else PolarsTrip


@pytest.fixture
def rows() -> list[Row]:
    """Rows that the contract accepts."""
    return [dict(row) for row in ROWS]
