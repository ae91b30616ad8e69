"""A feature store with Feast: one command fills it, and it serves the pipeline's features.

Feast is installed from the package index into a separate environment.
"""

import json
import shutil
import sqlite3
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.baton import Workshop, commit, render, run
from tests.project import NO_CONTRACT, Project, trained
from tests.tables import houses, write_csv

ASKING = Path(__file__).parent / "inside/served.py"
EQUAL = "The store serves the pipeline's features.\n"
STALE = "The pipeline is not up to date: run `uv run poe pipeline`.\n"

pytestmark = pytest.mark.timeout(900)


def fill_store(project: Project, workshop: Workshop) -> str:
    """Fill the store of a project; return the output. Feast is installed once for all workers."""
    shared = workshop.folder / "feast"
    with FileLock(f"{shared}.lock"):
        shared.mkdir(exist_ok=True)
        (project.folder / ".handoff").mkdir(exist_ok=True)
        (project.folder / ".handoff/environments").symlink_to(shared)
        return project("handoff", "feature", "store").stdout


def feast_python(project: Project) -> Path:
    """Return the Python interpreter of Feast's environment."""
    (python,) = project.folder.glob(".handoff/environments/feast-*/bin/python")
    return python


def served_features(project: Project, things: Sequence[Any]) -> dict[str, Any]:
    """Return the features that Feast serves for some entities."""
    rows, to = project.folder / "things.json", project.folder / "served.json"
    rows.write_text(json.dumps(things), encoding="utf-8")
    store = project.folder / ".handoff/feature-store"
    run([feast_python(project), ASKING, store, rows, to], project.folder, env={"TZ": "UTC"})
    parsed: dict[str, Any] = json.loads(to.read_text(encoding="utf-8"))
    return parsed


def change(store: Path, feature: str, value: bytes) -> None:
    """Overwrite the first value of a feature that is not missing."""
    with sqlite3.connect(store / "online.db") as database:
        ((table,),) = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        first = f"SELECT min(rowid) FROM {table} WHERE feature_name = ? AND length(value) > 0"  # noqa: S608
        database.execute(f"UPDATE {table} SET value = ? WHERE rowid = ({first})", (value, feature))  # noqa: S608
    database.close()


@pytest.fixture(scope="module")
def flights(
    workshop: Workshop, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Return a flights project with a feature store, on a machine whose time zone isn't UTC."""
    whole = trained(workshop, environment, "pandas").folder
    folder = tmp_path_factory.mktemp("store") / "project"
    project = Project(shutil.copytree(whole, folder, symlinks=True), environment)
    project.env["TZ"] = "America/New_York"
    shutil.rmtree(folder / ".handoff", ignore_errors=True)
    done = fill_store(project, workshop)
    assert done.startswith(f"{EQUAL}\nFeatures: 19 features of 5,706 entities, by carrier, ")
    return project


def test_a_project_without_a_feature_store_has_no_feast(
    workshop: Workshop, environment: Path, flights: Project
) -> None:
    project = trained(workshop, environment, "pandas")
    assert not list(project.folder.glob(".handoff/environments/feast-*"))
    for folder in (project.folder, flights.folder):
        assert 'name = "feast"' not in (folder / "uv.lock").read_text(encoding="utf-8")
    assert not list(environment.glob("lib/python*/site-packages/feast*"))
    assert list(feast_python(flights).parents[1].rglob("feast*"))


def test_all_served_values_equal_the_values_of_the_pipeline(flights: Project) -> None:
    made = json.loads(
        flights.python(
            """
            import json
            import pandas as pd
            table = pd.read_parquet("data/labelled.parquet").sort_values("scheduled_departure")
            newest = table.groupby(["carrier", "flight_number"]).tail(1).reset_index(drop=True)
            moments = newest.pop("scheduled_departure").map(pd.Timestamp.timestamp)
            gaps = newest.astype(object).where(newest.notna(), None)
            print(json.dumps({**gaps.to_dict("list"), "moment": moments.to_list()}))
            """
        )
    )
    assert len(made["carrier"]) == 5706
    # The target is not a feature.
    made.pop("late")
    names = ("carrier", "flight_number")
    things = [dict(zip(names, row, strict=True)) for row in zip(*map(made.get, names), strict=True)]
    result = served_features(flights, things)
    served = result["served"]
    moments = made.pop("moment")
    assert {name for name in served if not name.endswith("__ts")} == set(made)
    for name, values in made.items():
        assert served[name] == values, name
        assert list(map(type, served[name])) == list(map(type, values)), name
        if name not in names:
            assert served[f"{name}__ts"] == moments, name
    # Some values are missing.
    kinds = {type(value) for values in made.values() for value in values}
    assert kinds == {str, int, float, type(None)}
    catalogue = json.loads(flights("handoff", "feature", "list", "--json").stdout)
    meanings = {one["name"]: one["meaning"] for one in catalogue if one["name"] not in names}
    assert result["registered"] == {"owner": "@data-science", "described": meanings}


def test_a_changed_value_is_reported(flights: Project) -> None:
    store = flights.folder / ".handoff/feature-store"
    shutil.copytree(store, store.with_name("kept"))
    assert flights("handoff", "check", "--only", "feature-store").stdout.startswith(EQUAL)
    change(store, "wind_speed_mph", b"\x29" + struct.pack("<d", 99.5))
    change(store, "weekday", b"")
    found = flights("handoff", "check", "--only", "feature-store", "--format", "json", check=False)
    assert found.returncode == 1
    findings = {finding["message"]: finding for finding in json.loads(found.stdout)}
    assert set(findings) == {
        "Features.weekday: 1 of 5,706 values differ",
        "Features.wind_speed_mph: 1 of 5,706 values differ",
    }
    evidence = [line for finding in findings.values() for line in finding["evidence"]]
    assert any(": served 99.5, " in line for line in evidence)
    assert any(": served None, " in line for line in evidence)
    shutil.rmtree(store)
    store.with_name("kept").rename(store)


def test_a_store_is_filled_only_from_an_up_to_date_pipeline(flights: Project) -> None:
    store = flights.folder / ".handoff/feature-store"
    before = (store / "online.db").read_bytes()
    definitions = store / "definitions.json"
    text = definitions.read_text(encoding="utf-8")
    definitions.write_text(text.replace("°F at the origin", "°C at the origin"), encoding="utf-8")
    other = flights("handoff", "check", "--only", "feature-store", check=False)
    assert other.returncode == 1
    assert "filled from other contracts than the present ones" in other.stdout
    definitions.write_text(text, encoding="utf-8")

    code = flights.folder / "src/flight_delays/features/build.py"
    code.write_text(code.read_text(encoding="utf-8") + "\n# another state\n", encoding="utf-8")
    for command in (("feature", "store"), ("check", "--only", "feature-store")):
        stale = flights("handoff", *command, check=False)
        assert (stale.returncode, stale.stdout, stale.stderr) == (2, "", STALE)
    assert (store / "online.db").read_bytes() == before
    assert [path.name for path in store.parent.glob(".feature-store*")] == []


def test_a_polars_project_with_its_own_tables_has_a_store_too(
    workshop: Workshop, environment: Path, tmp_path: Path
) -> None:
    """Houses with several sales each; a time is a feature and is missing in some rows."""
    answers = {"starter": "blank", "dataframe": "polars", "package_name": "mine"}
    project = Project(render(workshop.template(), tmp_path / "project", answers), environment)
    commit(project.folder, "first")
    assert project("handoff", "feature", "store", check=False).stderr == NO_CONTRACT

    heads, *rows = houses()
    named = [[*row[:4], f"house {place % 40}", row[5]] for place, row in enumerate(rows)]
    moments = ["2021-05-06T07:08:09Z" if place % 3 else None for place, _ in enumerate(rows)]
    table = [[*row, moment] for row, moment in zip(named, moments, strict=True)]
    write_csv(tmp_path / "houses.csv", [[*heads, "renewed"], *table])
    project("handoff", "contract", "new", str(tmp_path / "houses.csv"), "--target", "price")
    nameless = project("handoff", "feature", "store", check=False)
    assert nameless.returncode == 2
    assert "ModelInput must declare `unique = [...]` in its Config" in nameless.stderr

    contracts = project.folder / "src/mine/contracts/data.py"
    text = contracts.read_text(encoding="utf-8")
    unique = 'strict = True\n        unique = ["notes", "SaleDate"]\n'
    contracts.write_text(text.replace("strict = True\n", unique, 1), encoding="utf-8")
    assert project("handoff", "feature", "store", check=False).stderr == STALE
    project("handoff", "pipeline")
    done = fill_store(project, workshop)
    assert done.startswith(f"{EQUAL}\nFeatures: 4 features of 40 entities, by notes\n")
    served = served_features(
        project, [{"notes": "house 0"}, {"notes": "house 39"}, {"notes": "castle"}]
    )
    newest = [[row[1] for row in table if row[4] == house][-1] for house in ("house 0", "house 39")]
    assert served["served"]["area"] == [*newest, None]
    known = [[row[6] for row in table if row[4] == house][-1] for house in ("house 0", "house 39")]
    assert [bool(moment) for moment in served["served"]["renewed"]] == [*map(bool, known), False]
