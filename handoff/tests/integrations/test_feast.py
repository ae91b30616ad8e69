"""The feature store gets what contracts declare, and serves what the pipeline has made.

Feast itself is not used here: `tests/prove/test_feature_store.py` fills a store and reads it.
"""

import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from baton_handoff.config.project import Project, find_project
from baton_handoff.core.errors import HandoffError
from baton_handoff.integrations.feast import definitions
from baton_handoff.integrations.feast.comparison import compare
from baton_handoff.integrations.feast.definitions import (
    FeatureView,
    StoredFeature,
    definitions_of,
    feature_views,
)
from baton_handoff.integrations.feast.latest_rows import latest_rows
from baton_handoff.integrations.feast.store import check
from trip_project import SETTINGS

CONTRACTS = '''
from pandera.{engine} import DataFrameModel, Field
from pandera.typing.{engine} import DataFrame
from typing import Annotated
{moment}


class Voyage(DataFrameModel):
    """What is asked."""

    ship: str
    number: int
    speed: float
    leaves: Utc
    ends: Utc

    class Config:
        unique = ["ship", "number", "leaves"]
        metadata = {{"version": "1.0.0", "position": "input"}}


class Inner(DataFrameModel):
    """What "the model" sees:
    \\\\ of a ship."""

    ship: str
    leaves: Utc
    knots: float = Field(nullable=True, ge=0, le=40, description="it's \\"fast\\"\\n{{x}}")
    masts: int
    steam: bool
    flag: str = Field(isin=["red", "blue"])
    ends: Utc

    class Config:
        metadata = {{"version": "1.2.0", "position": "internal", "producer": "data-science"}}


class Answer(DataFrameModel):
    """What is answered."""

    late: float

    class Config:
        metadata = {{"version": "1.0.0", "position": "output"}}


__all__ = ["Answer", "Inner", "Voyage"]
'''
MOMENT = {
    "pandas": 'import pandas as pd\nUtc = Annotated[pd.DatetimeTZDtype, "us", "UTC"]',
    "polars": 'import polars as pl\nUtc = Annotated[pl.Datetime, "us", "UTC"]',
}
AT = datetime(2013, 7, 1, 12, 30, 0, 250_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
VIEW = FeatureView(
    name="Inner",
    key={"ship": "string", "number": "integer"},
    time="leaves",
    features=(
        StoredFeature("knots", "number", "", {}),
        StoredFeature("ends", "timestamp[UTC]", "", {}),
    ),
)
MADE: dict[str, list[Any]] = {
    "ship": ["Gull", "Gull", "Tern"],
    "number": [1, 2, 1],
    "leaves": [AT, AT + HOUR, AT],
    "knots": [7.5, None, 0.0],
    "ends": [AT.replace(microsecond=0), None, None],
}
KINDS = {
    "ship": pa.string(),
    "number": pa.int64(),
    "leaves": pa.timestamp("us", "UTC"),
    "knots": pa.float64(),
    "ends": pa.timestamp("us", "UTC"),
}

Change = Callable[[str, str], None]


@pytest.fixture
def voyages(tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose features are those of a voyage."""
    contracts = tmp_path / "src/voyages/contracts/__init__.py"
    contracts.parent.mkdir(parents=True)
    (contracts.parents[1] / "__init__.py").touch()
    contracts.write_text(CONTRACTS.format(engine=engine, moment=MOMENT[engine]))
    (tmp_path / "handoff.toml").write_text(SETTINGS.replace("trips", "voyages"))
    monkeypatch.syspath_prepend(tmp_path / "src")
    yield replace(find_project(tmp_path), teams=("@science", "@engineering"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "voyages"]:
        del sys.modules[name]


@pytest.fixture
def edit(voyages: Project) -> Change:
    """Changes the project's contracts: a text becomes another."""

    def edited(old: str, new: str) -> None:
        file = voyages.source / "contracts/__init__.py"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return edited


@pytest.fixture
def feast_objects(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[str], list[dict[str, Any]]]:
    """The objects that `features.py` makes of definitions, each with its arguments."""

    def read(text: str) -> list[dict[str, Any]]:
        objects: list[dict[str, Any]] = []

        def kind(name: str) -> Callable[..., dict[str, Any]]:
            def made(**arguments: Any) -> dict[str, Any]:
                objects.append({"kind": name, **arguments})
                return objects[-1]

            return made

        class ValueType:
            INT64, STRING = "INT64", "STRING"

        feast, types = ModuleType("feast"), ModuleType("feast.types")
        for name in ("Entity", "FeatureView", "Field", "FileSource"):
            setattr(feast, name, kind(name))
        feast.ValueType, feast.types = ValueType, types  # type: ignore[attr-defined]
        for name in ("Bool", "Float64", "Int64", "String", "UnixTimestamp"):
            setattr(types, name, name)
        monkeypatch.setitem(sys.modules, "feast", feast)
        shutil.copy(Path(definitions.__file__).with_name("features.py"), tmp_path)
        (tmp_path / "definitions.json").write_text(text, encoding="utf-8")
        runpy.run_path(str(tmp_path / "features.py"))
        return objects

    return read


def table(**other: Any) -> pa.Table:
    """A row for each of three voyages; a column may be another, or have another type."""
    columns = {**MADE, **other}
    return pa.table(
        {
            name: values if isinstance(values, pa.Array) else pa.array(values, KINDS[name])
            for name, values in columns.items()
        }
    )


def messages(made: pa.Table, served: pa.Table) -> list[str]:
    return [finding.message for finding in compare(VIEW, made, served)]


def test_feast_gets_what_the_contract_declares(
    voyages: Project, feast_objects: Callable[[str], list[dict[str, Any]]]
) -> None:
    (view,) = feature_views(voyages)
    text = definitions_of([view], Path("/data/it's.parquet"))
    assert text == definitions_of(feature_views(voyages), Path("/data/it's.parquet"))
    stated = feast_objects(text)
    (data,) = (one for one in stated if one["kind"] == "FileSource")
    assert (data["path"], data["timestamp_field"]) == ("/data/it's.parquet", "leaves")
    entities = [one for one in stated if one["kind"] == "Entity"]
    assert [(one["name"], one["value_type"]) for one in entities] == [
        ("number", "INT64"),
        ("ship", "STRING"),
    ]
    (features,) = (one for one in stated if one["kind"] == "FeatureView")
    assert features["description"] == 'What "the model" sees:\n\\ of a ship.'
    assert (features["name"], features["owner"]) == ("Inner", "@science")
    assert features["tags"] == {
        "position": "internal",
        "producer": "data-science",
        "version": "1.2.0",
    }
    # The columns of the key are fields too; the time comes with each answer.
    fields = {field["name"]: field for field in features["schema"]}
    assert {name: field["dtype"] for name, field in fields.items()} == {
        "number": "Int64",
        "ship": "String",
        "knots": "Float64",
        "masts": "Int64",
        "steam": "Bool",
        "flag": "String",
        "ends": "UnixTimestamp",
    }
    assert fields["knots"]["description"] == 'it\'s "fast"\n{x}'
    assert fields["knots"]["tags"] == {"rules": "between 0 and 40", "nullable": "true"}
    assert fields["flag"]["tags"] == {"rules": "one of blue, red", "nullable": "false"}


@pytest.mark.parametrize(
    ("unique", "message"),
    [
        ('["ship", "number"]', "Voyage must declare `unique = [...]` in its Config"),
        ('["leaves"]', "Voyage must declare `unique = [...]` in its Config"),
        ('["ship", "leaves", "ends"]', "Voyage must declare `unique = [...]` in its Config"),
        ('["speed", "leaves"]', "Voyage identifies an entity by speed, a number: Feast needs text"),
    ],
)
def test_the_input_contract_must_declare_what_identifies_an_entity(
    voyages: Project, edit: Change, unique: str, message: str
) -> None:
    edit('["ship", "number", "leaves"]', unique)
    with pytest.raises(HandoffError) as refused:
        feature_views(voyages)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_type_that_feast_can_not_serve_is_named(voyages: Project, edit: Change) -> None:
    edit("from typing import Annotated", "from typing import Annotated\nfrom datetime import date")
    edit("    masts: int", "    masts: date")
    with pytest.raises(HandoffError, match=r"^Inner\.masts is of type date, which Feast can"):
        feature_views(voyages)


def test_a_store_that_was_never_filled_can_not_be_checked(voyages: Project) -> None:
    with pytest.raises(
        HandoffError, match="no feature store yet: run `uv run handoff feature store`"
    ):
        check(voyages)


def test_the_latest_row_of_each_entity_has_to_be_served(tmp_path: Path) -> None:
    older = table(leaves=[AT - HOUR] * 3, knots=[1.0, 2.0, 3.0], ends=[AT] * 3)
    # Engines write text and missing values differently; other columns are ignored.
    newer = table(
        ship=pa.array(MADE["ship"], pa.large_string()), knots=pa.array([7.5, float("nan"), 0.0])
    ).append_column("late", pa.array([True] * 3))
    file = tmp_path / "made.parquet"
    parquet.write_table(pa.concat_tables([newer, older], promote_options="permissive"), file)
    key = [("ship", "ascending"), ("number", "ascending")]
    assert latest_rows(file, VIEW).sort_by(key).to_pydict() == MADE


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            table().drop(["number", "knots"]),
            "made.parquet lacks number, knots, which a feature store needs",
        ),
        (table(number=pa.array(["x"] * 3)), "number in made.parquet has type string, its contract"),
        (table(number=[1, None, 1]), "made.parquet has 1 rows without number, which a"),
        (table(leaves=[AT, AT, None]), "made.parquet has 1 rows without leaves, which a"),
        (
            pa.concat_tables([table(), table()]),
            "made.parquet has several rows with the same ship, number, leaves",
        ),
    ],
)
def test_a_table_that_can_not_be_served_is_refused_in_one_sentence(
    tmp_path: Path, rows: pa.Table, message: str
) -> None:
    parquet.write_table(rows, tmp_path / "made.parquet")
    with pytest.raises(HandoffError) as refused:
        latest_rows(tmp_path / "made.parquet", VIEW)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_values_that_are_served_as_made_are_no_finding() -> None:
    # In any order, with any type for a column of nulls, and with whole seconds of the time.
    whole = [moment.replace(microsecond=0) for moment in MADE["leaves"]]
    assert messages(table(), table(leaves=whole).take(pa.array([2, 0, 1]))) == []
    assert messages(table(ends=[None] * 3), table(ends=pa.nulls(3))) == []


@pytest.mark.parametrize(
    ("served", "message"),
    [
        (table(knots=[7.5, None, 0.1]), "Inner.knots: 1 of 3 values differ"),
        (table(knots=[None, None, 0.0]), "Inner.knots: 1 of 3 values differ"),
        (table(knots=[7.5, 0.0, 0.0]), "Inner.knots: 1 of 3 values differ"),
        (table(leaves=[AT, AT, AT]), "Inner.leaves: 1 of 3 values differ"),
        (table().slice(1), "Inner: 1 of 3 entities are not served"),
        (table(number=pa.array([1.0, 2.0, 1.0])), "Inner: served with other types than"),
        (table(knots=pa.array([7, 8, 9])), "Inner: served with other types than"),
        (
            pa.concat_tables([table(), table(ship=["Auk"] * 3)]),
            "Inner: 3 of 6 served entities are no longer in the pipeline's table",
        ),
    ],
)
def test_each_difference_is_found(served: pa.Table, message: str) -> None:
    (finding,) = compare(VIEW, table(), served)
    assert finding.message.startswith(message)
    assert (finding.blocks, finding.side) == (True, "ml-engineering")
    assert finding.evidence
    assert finding.fix == "`uv run handoff feature store` fills it again"


def test_a_value_that_differs_is_reported_with_its_entity() -> None:
    (finding,) = compare(VIEW, table(), table(knots=[7.5, 9.0, 0.0]))
    assert finding.evidence == ("ship Gull, number 2: served 9.0, made None",)


def test_a_feature_with_fractions_of_seconds_is_for_data_science() -> None:
    exact = table(ends=[AT, None, None])
    (finding,) = compare(VIEW, exact, table())
    assert finding.message.startswith("Inner.ends: 1 of 3 values differ")
    assert finding.side == "data-science"
    assert finding.fix == "round ends to whole seconds in features/: Feast keeps no fractions"
